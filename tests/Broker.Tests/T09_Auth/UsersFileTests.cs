using System.Text;

namespace Broker.Tests.T09_Auth;

public sealed class UsersFileTests() : OwnBrokerTest(("Auth:AllowAnonymous", "false"))
{
    [OwnTheory]
    [InlineData(ProtocolVersion.Mqtt31, 4)]
    [InlineData(ProtocolVersion.Mqtt311, 4)]
    [InlineData(ProtocolVersion.Mqtt5, 0x86)]
    public async Task User_gets_in_with_the_right_password_and_not_with_another(ProtocolVersion version, int refused)
    {
        var added = await BrokerCommand.RunWithInputAsync("pass wörd\n", null, "user", "add", "alice", "--data", Server.DataDirectory);
        Assert.True(added.ExitCode == 0, added.Output);

        // A running broker takes up a new user by itself.
        await Eventually.TrueAsync(
            async () => await ReasonAsync(version, "alice", "pass wörd") == 0,
            ScriptedClient.Patience,
            () => $"alice is not let in\n{Server.Output.Text}");
        Assert.Equal(refused, await ReasonAsync(version, "alice", "Pass wörd"));
        Assert.Equal(refused, await ReasonAsync(version, "alice", ""));
        Assert.Equal(refused, await ReasonAsync(version, "Alice", "pass wörd"));
        Assert.DoesNotContain("pass wörd", Server.Output.Text, StringComparison.OrdinalIgnoreCase);
    }

    [OwnFact]
    public async Task User_that_is_removed_does_not_get_in_again()
    {
        foreach (var name in (string[])["alice", "bob"])
        {
            await BrokerCommand.RunWithInputAsync("secret\n", null, "user", "add", name, "--data", Server.DataDirectory);
        }

        await Eventually.TrueAsync(
            async () => await ReasonAsync(ProtocolVersion.Mqtt5, "bob", "secret") == 0,
            ScriptedClient.Patience,
            () => "bob is not let in");

        await BrokerCommand.RunAsync(null, "user", "remove", "alice", "--data", Server.DataDirectory);

        await Eventually.TrueAsync(
            async () => await ReasonAsync(ProtocolVersion.Mqtt5, "alice", "secret") == 0x86,
            ScriptedClient.Patience,
            () => "alice is still let in");
        Assert.Equal(0, await ReasonAsync(ProtocolVersion.Mqtt5, "bob", "secret"));
    }

    private async Task<int> ReasonAsync(ProtocolVersion version, string user, string password)
    {
        var client = await AttemptAsync(new ConnectOptions(version) { UserName = user, Password = Encoding.UTF8.GetBytes(password) });
        return (int)(await client.ExpectAsync(PacketType.ConnAck)).Reason;
    }
}
