using System.Text;
using Broker.Gateway.Auth.Enhanced;
using Broker.Protocol;
using Broker.TestKit.Clients;

namespace Broker.Gateway.Tests.Auth;

public sealed class ScramTests
{
    // RFC 7677 section 3.
    private const string ServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    private const string FinalStart = "c=biws,r=rOprNGfwEbeRWgbNEkqO" + ServerNonce;
    private const string Proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    private static readonly ScramCredential Pencil =
        ScramCredential.Create("pencil", 4096, Convert.FromBase64String("W22ZaJ0SNY7soEsUEjb6gQ=="));

    [Fact]
    public async Task The_exchange_of_rfc_7677_goes_as_printed_there()
    {
        var exchange = Exchange();

        var first = await SayAsync(exchange, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        var final = await SayAsync(exchange, $"{FinalStart},p={Proof}");

        Assert.Equal(ReasonCode.ContinueAuthentication, first.Reason);
        Assert.Equal(
            $"r=rOprNGfwEbeRWgbNEkqO{ServerNonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", Encoding.UTF8.GetString(first.Data!));
        Assert.Equal(ReasonCode.Success, final.Reason);
        Assert.Equal("user", final.UserName);
        Assert.Equal("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", Encoding.UTF8.GetString(final.Data!));
    }

    [Theory]
    [InlineData($"{FinalStart},p=AAzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "another proof")]
    [InlineData($"{FinalStart},p=dHzb", "a proof too short")]
    [InlineData($"{FinalStart},p=!", "a proof that is not base64")]
    [InlineData(FinalStart, "no proof")]
    [InlineData($"c=biws,r=rOprNGfwEbeRWgbNEkqO,p={Proof}", "a nonce without the server's part")]
    [InlineData($"c=eSws,r=rOprNGfwEbeRWgbNEkqO{ServerNonce},p={Proof}", "another header than in the first message")]
    [InlineData($"r=rOprNGfwEbeRWgbNEkqO{ServerNonce},p={Proof}", "no channel binding field")]
    [InlineData("", "nothing")]
    public async Task A_final_message_that_is_not_right_is_refused(string message, string what)
    {
        var exchange = Exchange();
        await SayAsync(exchange, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");

        var step = await SayAsync(exchange, message);

        Assert.True(step.Reason == ReasonCode.NotAuthorized, what);
        Assert.Null(step.UserName);
    }

    [Theory]
    [InlineData("p=tls-unique,,n=user,r=abc", "channel binding is not offered")]
    [InlineData("n,a=other,n=user,r=abc", "acting for another user")]
    [InlineData("n,,m=ext,n=user,r=abc", "a mandatory extension")]
    [InlineData("n,,n=,r=abc", "an empty name")]
    [InlineData("n,,n=us=er,r=abc", "a name with a bare =")]
    [InlineData("n,,n=user,r=", "an empty nonce")]
    [InlineData("n,,n=us\u0007er,r=abc", "a control character in the name")]
    [InlineData("n,,n=user", "no nonce")]
    [InlineData("user", "no SCRAM message")]
    public async Task A_first_message_that_is_not_right_is_refused(string message, string what)
    {
        var step = await SayAsync(Exchange(), message);

        Assert.True(step.Reason == ReasonCode.NotAuthorized, what);
    }

    [Theory]
    [InlineData("n,,n=a=2Cb=3Dc,r=x", "a,b=c")]
    [InlineData("y,,n=user,r=x", "user")]
    [InlineData("n,a=user,n=user,r=x", "user")]
    [InlineData("n,,n=so\u00ADft,r=x", "soft")]
    public async Task Names_are_decoded_and_prepared(string message, string name)
    {
        string? asked = null;
        var exchange = new ScramExchange(
            found =>
            {
                asked = found;
                return Pencil;
            },
            ServerNonce);

        await SayAsync(exchange, message);

        Assert.Equal(name, asked);
    }

    [Fact]
    public async Task A_client_that_sends_nothing_first_is_asked()
    {
        var exchange = Exchange();

        var asked = await SayAsync(exchange, "");
        var first = await SayAsync(exchange, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");

        Assert.Equal(ReasonCode.ContinueAuthentication, asked.Reason);
        Assert.Null(asked.Data);
        Assert.NotNull(first.Data);
    }

    [Fact]
    public async Task A_name_that_is_not_known_gets_the_same_salt_each_time_and_never_in()
    {
        var secret = new byte[32];
        var answers = new List<string>();
        for (var i = 0; i < 2; i++)
        {
            var client = new ScramClient("nobody", "pencil", "fixed");
            var exchange = new ScramExchange(
                name => ScramCredential.ForNobody(secret, Encoding.UTF8.GetBytes(name), 4096), ServerNonce);
            var first = await exchange.NextAsync(client.First(), CancellationToken.None);
            answers.Add(Encoding.UTF8.GetString(first.Data!));
            var final = await exchange.NextAsync(client.Final(first.Data!), CancellationToken.None);
            Assert.Equal(ReasonCode.NotAuthorized, final.Reason);
        }

        Assert.Equal(answers[0], answers[1]);
        Assert.Contains(",i=4096", answers[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_credential_survives_its_text_form()
    {
        var again = ScramCredential.Parse(Pencil.ToString())!;

        Assert.Equal(Pencil.ToString(), again.ToString());
        Assert.Equal(4096, again.Iterations);
        Assert.Equal(Pencil.StoredKey, again.StoredKey);
        Assert.Equal(Pencil.ServerKey, again.ServerKey);
    }

    [Theory]
    [InlineData("")]
    [InlineData("$scram-sha-1$i=4096$c2FsdA$c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0c2FsdHNhbHQ")]
    [InlineData("$scram-sha-256$i=100$c2FsdA$c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0c2FsdHNhbHQ")]
    [InlineData("$scram-sha-256$i=4096$c2FsdA$c2Fs$c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0c2FsdHNhbHQ")]
    public void What_is_not_a_credential_is_refused(string text) => Assert.Null(ScramCredential.Parse(text));

    [Theory]
    [InlineData("I\u00ADX", "IX")]
    [InlineData("user", "user")]
    [InlineData("USER", "USER")]
    [InlineData("a\u00A0b", "a b")]
    [InlineData("\u0007", null)]
    [InlineData("a\u202Eb", null)]
    [InlineData("\uE000", null)]
    public void Text_is_prepared(string text, string? expected)
    {
        var isAllowed = SaslPrep.TryPrepare(text, out var prepared);

        Assert.Equal(expected, isAllowed ? Encoding.UTF8.GetString(prepared) : null);
    }

    private static ScramExchange Exchange() => new(_ => Pencil, ServerNonce);

    private static ValueTask<ExchangeStep> SayAsync(ScramExchange exchange, string message) =>
        exchange.NextAsync(Encoding.UTF8.GetBytes(message), CancellationToken.None);
}
