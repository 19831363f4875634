using System.Text;
using Broker.Gateway.Auth;
using Broker.Gateway.Auth.Enhanced;
using Broker.Gateway.Tests.Hooks;
using Broker.Protocol;
using Broker.TestKit.Clients;
using Broker.TestKit.Wire;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Gateway.Tests.Auth;

/// <summary>An Authentication Method of the application that has a defect: its client is told, and nobody else is disturbed.</summary>
public sealed class FaultyMethodTests
{
    private const string Method = "faulty";

    [Fact]
    public async Task Fault_in_a_re_authentication_ends_the_connection_with_0x80()
    {
        await using var broker = await StartAsync();
        await using var client = await ScriptedClient.ConnectAsync(broker.Mqtt, new ConnectOptions { Properties = Saying("accept") });
        await using var other = await ScriptedClient.ConnectAsync(broker.Mqtt, new ConnectOptions { Properties = Saying("accept") });

        await client.SendAsync(Packets.Auth(ReasonCode.ReAuthenticate, Saying("throw")));

        var goodbye = await client.ExpectAsync(PacketType.Disconnect);
        Assert.Equal(ReasonCode.UnspecifiedError, goodbye.Reason);
        Assert.NotEmpty(goodbye.Properties.Text(Prop.ReasonString)!);
        await client.ExpectCloseAsync();
        await other.SendAsync(Packets.Auth(ReasonCode.ReAuthenticate, Saying("accept")));
        Assert.Equal(ReasonCode.Success, (await other.ExpectAsync(PacketType.Auth)).Reason);
    }

    [Theory]
    [InlineData("throw", ReasonCode.ServerUnavailable)]
    [InlineData(nameof(ReasonCode.Banned), ReasonCode.Banned)]
    [InlineData(nameof(ReasonCode.ServerShuttingDown), ReasonCode.NotAuthorized)]
    public async Task Connect_is_refused_with_0x88_after_a_fault_and_with_no_code_that_CONNACK_does_not_have(string says, ReasonCode expected)
    {
        await using var broker = await StartAsync();
        await using var client = await ScriptedClient.OpenAsync(broker.Mqtt, new ConnectOptions { Properties = Saying(says) });

        await client.SendAsync(Packets.Connect(client.Options));

        var answer = await client.ExpectAsync(PacketType.ConnAck);
        Assert.Equal(expected, answer.Reason);
        Assert.NotEmpty(answer.Properties.Text(Prop.ReasonString)!);
        await client.ExpectCloseAsync();
    }

    private static Task<InProcessBroker> StartAsync() =>
        InProcessBroker.StartAsync(static services => services.AddSingleton<IEnhancedAuthenticator, FaultyMethod>());

    private static PropertyCollection Saying(string word) => new()
    {
        { Prop.AuthenticationMethod, Method }, { Prop.AuthenticationData, Encoding.UTF8.GetBytes(word) },
    };

    /// <summary>Does what the client says: accepts, throws, or refuses with the Reason Code of that name.</summary>
    private sealed class FaultyMethod : IEnhancedAuthenticator, IAuthenticationExchange
    {
        public string Method => FaultyMethodTests.Method;

        public IAuthenticationExchange Begin(AuthenticationRequest request) => this;

        public ValueTask<ExchangeStep> NextAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
            new(Encoding.UTF8.GetString(data.Span) switch
            {
                "accept" => ExchangeStep.Accept("ali", null),
                "throw" => throw new InvalidOperationException("a defect"),
                var reason => ExchangeStep.Refuse(Enum.Parse<ReasonCode>(reason)),
            });
    }
}
