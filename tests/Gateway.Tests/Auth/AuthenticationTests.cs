using System.Net;
using System.Text;
using Broker.Gateway.Auth;
using Broker.Gateway.Options;
using Broker.Protocol;
using Microsoft.Extensions.Logging.Abstractions;

namespace Broker.Gateway.Tests.Auth;

public sealed class AuthenticationTests : IDisposable
{
    private static readonly IPAddress Local = IPAddress.Loopback;
    private static readonly IPAddress Remote = IPAddress.Parse("192.0.2.7");

    private readonly TemporaryFolder _folder = new();
    private readonly SteppedTime _time = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(null, true, true)]
    [InlineData(null, false, false)]
    [InlineData(true, false, true)]
    [InlineData(false, true, false)]
    public async Task Anonymous_clients_are_judged_by_setting_and_address(bool? setting, bool local, bool allowed)
    {
        var result = await AskAsync(Chain(setting), null, null, local ? Local : Remote);

        Assert.Equal(allowed, result.IsAllowed);
        Assert.Equal(allowed ? ReasonCode.Success : ReasonCode.NotAuthorized, result.Reason);
        Assert.Null(result.UserName);
    }

    [Fact]
    public async Task A_claimed_name_is_not_believed_while_there_are_no_users()
    {
        var chain = Chain(true);

        var result = await AskAsync(chain, "ann", "x", Remote);

        Assert.True(result.IsAllowed);
        Assert.Null(result.UserName);
    }

    [Fact]
    public async Task A_user_gets_in_with_the_right_password_only()
    {
        AddUser("ann", "secret");
        var chain = Chain(true);

        Assert.Equal("ann", (await AskAsync(chain, "ann", "secret", Remote)).UserName);
        Assert.Equal(ReasonCode.BadUserNameOrPassword, (await AskAsync(chain, "ann", "wrong", Remote)).Reason);
        Assert.Equal(ReasonCode.BadUserNameOrPassword, (await AskAsync(chain, "ann", null, Remote)).Reason);
        Assert.Equal(ReasonCode.BadUserNameOrPassword, (await AskAsync(chain, "bob", "secret", Remote)).Reason);
    }

    [Fact]
    public async Task A_verified_password_is_recognised_at_once_and_a_wrong_one_never()
    {
        AddUser("ann", "secret");
        var chain = Chain(null);
        await AskAsync(chain, "ann", "secret", Remote);

        Assert.True(AskAsync(chain, "ann", "secret", Remote).IsCompletedSuccessfully);
        Assert.False((await AskAsync(chain, "ann", "secret2", Remote)).IsAllowed);
    }

    [Fact]
    public async Task A_change_of_the_file_is_seen()
    {
        AddUser("ann", "secret");
        var chain = Chain(false);
        Assert.True((await AskAsync(chain, "ann", "secret", Remote)).IsAllowed);

        AddUser("ann", "new secret");
        AddUser("bob", "b");
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.False((await AskAsync(chain, "ann", "secret", Remote)).IsAllowed);
        Assert.True((await AskAsync(chain, "ann", "new secret", Remote)).IsAllowed);
        Assert.True((await AskAsync(chain, "bob", "b", Remote)).IsAllowed);
    }

    /// <summary>As Kubernetes mounts a Secret: the file is a link through a folder that is a link, and the folder is what changes.</summary>
    [Fact]
    public async Task A_change_behind_links_is_seen()
    {
        AddUser("ann", "secret");
        Directory.CreateDirectory(_folder.File("..1"));
        File.Move(_folder.File("users"), _folder.File("..1/users"));
        Directory.CreateSymbolicLink(_folder.File("..data"), "..1");
        File.CreateSymbolicLink(_folder.File("users"), "..data/users");
        var chain = Chain(false);
        Assert.True((await AskAsync(chain, "ann", "secret", Remote)).IsAllowed);

        Directory.CreateDirectory(_folder.File("..2"));
        File.Copy(_folder.File("..1/users"), _folder.File("..2/users"));
        File.AppendAllText(_folder.File("..2/users"), $"bob:{PasswordHash.Create("b"u8, 1000)}\n");
        Directory.CreateSymbolicLink(_folder.File("..data_tmp"), "..2");
        Directory.Delete(_folder.File("..data"));
        Directory.Move(_folder.File("..data_tmp"), _folder.File("..data"));
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.True((await AskAsync(chain, "bob", "b", Remote)).IsAllowed);
    }

    [Fact]
    public async Task A_file_that_breaks_leaves_the_users_as_they_were()
    {
        AddUser("ann", "secret");
        var chain = Chain(false);

        File.WriteAllText(_folder.File("users"), "half a li");
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.True((await AskAsync(chain, "ann", "secret", Remote)).IsAllowed);
    }

    [Fact]
    public async Task The_first_decision_of_the_chain_stands()
    {
        var chain = new AuthenticationChain(
        [
            new Fixed(AuthenticationResult.Next, late: true),
            new Fixed(AuthenticationResult.Deny(ReasonCode.Banned), late: false),
            new Fixed(AuthenticationResult.Allow("x"), late: false),
        ]);

        Assert.Equal(ReasonCode.Banned, (await AskAsync(chain, null, null, Local)).Reason);
    }

    [Fact]
    public async Task A_client_that_nobody_knows_is_denied()
    {
        Assert.Equal(ReasonCode.NotAuthorized, (await AskAsync(new([]), null, null, Local)).Reason);
        Assert.Equal(ReasonCode.BadUserNameOrPassword, (await AskAsync(new([]), "ann", "x", Local)).Reason);
    }

    [Theory]
    [InlineData("::ffff:127.0.0.2", true)]
    [InlineData("::ffff:192.0.2.1", false)]
    [InlineData("::1", true)]
    public void Mapped_addresses_are_unmapped(string address, bool loopback) =>
        Assert.Equal(loopback, IPAddress.IsLoopback(RemoteAddress.Of(new IPEndPoint(IPAddress.Parse(address), 1))));

    [Theory]
    [InlineData("a/b", AccessKind.Publish, true)]
    [InlineData("$SYS/x", AccessKind.Publish, false)]
    [InlineData("$other", AccessKind.Publish, false)]
    [InlineData("$other/#", AccessKind.Subscribe, true)]
    [InlineData("$SYS/#", AccessKind.Subscribe, false)]
    public void Without_rules_only_reserved_names_are_refused(string topic, AccessKind kind, bool expected)
    {
        var access = new AccessControl(new DefaultAuthorizer(new SysOptions()));
        var client = new ClientIdentity("c", null, Remote);

        Assert.True(access.TryAuthorize(
            client, kind, Encoding.UTF8.GetBytes(topic), QualityOfService.AtMostOnce, retain: false, out var allowed));
        Assert.Equal(expected, allowed);
    }

    private AuthenticationChain Chain(bool? allowAnonymous)
    {
        var options = new AuthOptions { AllowAnonymous = allowAnonymous, UsersFile = _folder.File("users") };
        var users = new UserDirectory(options, new DataOptions(), _time, NullLogger<UserDirectory>.Instance);
        return new AuthenticationChain([new UsersFileAuthenticator(users), new AnonymousAuthenticator(options)]);
    }

    private void AddUser(string name, string password)
    {
        var file = UsersFile.Load(_folder.File("users"));
        file.Set(name, PasswordHash.Create(Encoding.UTF8.GetBytes(password), 1000));
        file.Save(_folder.File("users"));
    }

    private static AuthenticationRequest Request(string? user, string? password, IPAddress address) => new(
        "client", user, password is null ? null : Encoding.UTF8.GetBytes(password), address, ProtocolVersion.Mqtt5);

    private static async Task<AuthenticationResult> AskAsync(
        AuthenticationChain chain, string? user, string? password, IPAddress address) =>
        await chain.AuthenticateAsync(Request(user, password, address), CancellationToken.None);

    private sealed class Fixed(AuthenticationResult result, bool late) : IAuthenticator
    {
        public async ValueTask<AuthenticationResult> AuthenticateAsync(
            AuthenticationRequest request, CancellationToken cancellationToken)
        {
            if (late)
            {
                await Task.Yield();
            }

            return result;
        }
    }

    private sealed class SteppedTime : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan time) => _ticks += time.Ticks;
    }
}
