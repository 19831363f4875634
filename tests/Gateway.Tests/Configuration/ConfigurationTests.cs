using System.Collections;
using Broker.Gateway.Configuration;
using Broker.Gateway.Hosting;
using Broker.Gateway.Listeners;
using Broker.Gateway.Options;

namespace Broker.Gateway.Tests.Configuration;

public sealed class ConfigurationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Nothing_given_yields_the_defaults()
    {
        var options = Load();

        Assert.Equal(100, options.Session.MaxInflight);
        Assert.Equal(TimeSpan.FromHours(48), options.Session.SessionExpiry);
        Assert.Equal(1883, Assert.Single(options.Listeners.Mqtt).Port);
        Assert.Null(options.Auth.AllowAnonymous);
    }

    [Theory]
    [InlineData("--Broker:Session:MaxInflight=10")]
    [InlineData("--Broker:Session:MaxInflight", "10")]
    [InlineData("--broker:session:maxinflight=10")]
    public void The_command_line_takes_both_forms_and_any_letter_case(params string[] arguments) =>
        Assert.Equal(10, Load(arguments).Session.MaxInflight);

    [Fact]
    public void Short_forms_set_their_keys()
    {
        var options = Load("--mqtt", "2883", "--http=0");

        Assert.Equal(2883, options.Listeners.Mqtt[0].Port);
        Assert.Equal(0, options.Http.Port);
    }

    [Fact]
    public void Later_places_win()
    {
        WriteFile("""{ "Broker": { "Session": { "MaxInflight": 1, "MaxQueued": 2, "MaxAwaitingRel": 3 } } }""");
        _environment["Broker__Session__MaxQueued"] = "20";
        _environment["Broker__Session__MaxAwaitingRel"] = "30";

        var session = Load("--Broker:Session:MaxAwaitingRel=300").Session;

        Assert.Equal((1, 20, 300), (session.MaxInflight, session.MaxQueued, session.MaxAwaitingRel));
    }

    [Fact]
    public void The_data_folder_has_its_own_file_above_the_others()
    {
        WriteFile("""{ "Broker": { "Session": { "MaxInflight": 1 } } }""");
        Directory.CreateDirectory(_folder.File("data"));
        File.WriteAllText(_folder.File("data/appsettings.json"), """{ "Broker": { "Session": { "MaxInflight": 7 } } }""");

        Assert.Equal(7, Load().Session.MaxInflight);
    }

    [Fact]
    public void The_data_folder_cannot_move_itself()
    {
        Directory.CreateDirectory(_folder.File("data"));
        File.WriteAllText(_folder.File("data/appsettings.json"), """{ "Broker": { "Data": { "Directory": "x" } } }""");

        Assert.Contains("cannot be set in the data folder", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Entries_of_a_list_in_the_environment_come_by_their_index()
    {
        for (var i = 0; i < 12; i++)
        {
            _environment[$"Broker__Listeners__Mqtt__{i}__Port"] = $"{1000 + i}";
            _environment[$"Broker__Listeners__Mqtt__{i}__Address"] = "::1";
        }

        Assert.Equal(Enumerable.Range(1000, 12), Load().Listeners.Mqtt.Select(endpoint => endpoint.Port));
    }

    [Theory]
    [InlineData("alow all")]
    [InlineData("allow 10.0.0.1/8")]
    [InlineData("allow 10.0.0.0/8, deny")]
    public void A_wrong_access_list_is_named_with_its_endpoint_and_the_rule(string value)
    {
        WriteFile("""{ "Broker": { "Listeners": { "Mqtt": [ { "Access": "allow all" } ] } } }""");

        var line = Refusal("--Broker:Listeners:Mqtt:1:Port=2", $"--Broker:Listeners:Mqtt:1:Access={value}");

        Assert.Equal(
            $"--Broker:Listeners:Mqtt:1:Access: '{value}' is not allowed, because of '{value.Split(", ")[^1]}'; allowed: {AccessList.Allowed}", line);
    }

    [Fact]
    public void Wrong_addresses_of_balancers_are_named_with_their_endpoint()
    {
        var line = Refusal("--Broker:Listeners:Mqtt:0:ProxyProtocolFrom=10.0.0.1, balancer");

        Assert.Equal(
            "--Broker:Listeners:Mqtt:0:ProxyProtocolFrom: '10.0.0.1, balancer' is not allowed, because of 'balancer'; "
                + $"allowed: {AddressRanges.Allowed}",
            line);
    }

    [Fact]
    public void Lists_replace_the_default_entry()
    {
        WriteFile("""{ "Broker": { "Listeners": { "Mqtt": [ { "Port": 1 }, { "Port": 2, "Address": "::1" } ] } } }""");

        var endpoints = Load().Listeners.Mqtt;

        Assert.Equal([1, 2], endpoints.Select(endpoint => endpoint.Port));
        Assert.Equal(["*", "::1"], endpoints.Select(endpoint => endpoint.Address));
    }

    [Fact]
    public void A_gap_in_a_list_is_refused() =>
        Assert.Equal(
            "--Broker:Listeners:Mqtt:1:Port: there is no entry 0 before it", Refusal("--Broker:Listeners:Mqtt:1:Port=1"));

    [Fact]
    public void Log_levels_are_set_by_category()
    {
        var log = Load("--Broker:Log:Levels:Orleans.Runtime=Debug").Log;

        Assert.Equal(LogLevel.Debug, log.Levels["orleans.runtime"]);
    }

    [Theory]
    [InlineData("MaxQueuedBytes", "64KiB", 64L << 10)]
    [InlineData("MaxQueuedBytes", "1 mib", 1L << 20)]
    [InlineData("MaxQueuedBytes", "123", 123L)]
    public void Sizes_take_units(string key, string text, long expected)
    {
        Assert.Equal(expected, Load($"--Broker:Session:{key}={text}").Session.MaxQueuedBytes);
    }

    [Theory]
    [InlineData("2d", 2 * 86400)]
    [InlineData("1.5h", 5400)]
    [InlineData("90", 90)]
    [InlineData("00:01:30", 90)]
    [InlineData("500ms", 0.5)]
    public void Times_take_units(string text, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Load($"--Broker:Store:WaitAtStart={text}").Store.WaitAtStart);

    [Theory]
    [InlineData("Limits:MaxKeepAlive", "500ms", "0s to 65535s (0 = the client's own), in whole seconds")]
    [InlineData("Session:SessionExpiry", "0.5", "0s to never, in whole seconds")]
    [InlineData("Session:MaxSessionExpiry", "00:00:01.5", "0s to never, in whole seconds")]
    [InlineData("Trace:MaxDuration", "1500ms", "1s to 30d, in whole seconds")]
    [InlineData("Store:AckGrace", "0.5ms", "0s to 10s (0 = written at once), in whole milliseconds")]
    [InlineData("Cluster:GiveUpAfter", "0.1ms", "0s to 1d (0 = for ever), in whole milliseconds")]
    public void A_time_of_which_a_part_would_be_cut_off_is_refused(string key, string value, string allowed) =>
        Assert.Equal($"--Broker:{key}: '{value}' is not allowed; allowed: {allowed}", Refusal($"--Broker:{key}={value}"));

    [Theory]
    [InlineData("1.5h", 5400)]
    [InlineData("2000ms", 2)]
    public void Whole_seconds_are_taken_in_any_unit(string text, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Load($"--Broker:Limits:MaxKeepAlive={text}").Limits.MaxKeepAlive);

    [Fact]
    public void Never_is_the_longest_time() =>
        Assert.Equal(TimeSpan.MaxValue, Load("--Broker:Session:SessionExpiry=never").Session.SessionExpiry);

    [Theory]
    [InlineData("MaxInflight", "0", "1 to 65535")]
    [InlineData("MaxInflight", "65536", "1 to 65535")]
    [InlineData("MaxInflight", "-1", "1 to 65535")]
    [InlineData("MaxInflight", "", "1 to 65535")]
    [InlineData("MaxQueuedBytes", "12XB", "0 to 1TiB (0 = unlimited)")]
    [InlineData("MaxQueuedBytes", "99999999999999PiB", "0 to 1TiB (0 = unlimited)")]
    [InlineData("RetryInterval", "never", "0s to 1d (0 = off)")]
    [InlineData("RetryInterval", "soon", "0s to 1d (0 = off)")]
    [InlineData("QueueFullPolicy", "1", "DropOldest, RefuseNewest")]
    [InlineData("QueueFullPolicy", "DropOldest,RefuseNewest", "DropOldest, RefuseNewest")]
    [InlineData("QueueFullPolicy", "", "DropOldest, RefuseNewest")]
    [InlineData("QueueQos0", "yes", "true, false")]
    [InlineData("HighWatermark", "1.1", "0 to 1")]
    [InlineData("HighWatermark", "NaN", "0 to 1")]
    public void A_wrong_value_is_named_with_its_key_and_what_is_allowed(string key, string value, string allowed)
    {
        var line = Refusal($"--Broker:Session:{key}={value}");

        Assert.Equal($"--Broker:Session:{key}: '{value}' is not allowed; allowed: {allowed}", line);
    }

    [Fact]
    public void A_key_is_named_in_the_form_in_which_it_was_given()
    {
        _environment["BROKER__SESSION__MaxInflight"] = "x";
        Assert.StartsWith("BROKER__SESSION__MaxInflight (BROKER:SESSION:MaxInflight): 'x'", Refusal(), StringComparison.Ordinal);

        _environment.Clear();
        Assert.StartsWith("--mqtt: '99999'", Refusal("--mqtt", "99999"), StringComparison.Ordinal);

        WriteFile("""{ "Broker": { "Session": { "MaxInflight": "x" } } }""");
        Assert.StartsWith($"{_folder.File("appsettings.json")}: Broker:Session:MaxInflight: 'x'", Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--Broker:Session:MaxInfligt=1", "--Broker:Session:MaxInflight")]
    [InlineData("--Broker:Limits:MaxInflight=1", "--Broker:Session:MaxInflight")]
    [InlineData("--Broker:Sesion:MaxInflite=1", "--Broker:Session:MaxInflight")]
    [InlineData("--mqt=1", "--mqtt")]
    public void An_unknown_key_is_named_with_the_closest_known_one(string argument, string suggestion) =>
        Assert.EndsWith($"did you mean {suggestion}?", Refusal(argument), StringComparison.Ordinal);

    [Theory]
    [InlineData("Log:Level", "Debug,Information")]
    [InlineData("Store:Kind", "Sqlite,Postgres")]
    [InlineData("Log:Levels:Orleans", "Debug, Information")]
    public void Two_names_where_one_is_asked_for_are_refused(string key, string value) =>
        Assert.StartsWith($"--Broker:{key}: '{value}' is not allowed; allowed: ", Refusal($"--Broker:{key}={value}"), StringComparison.Ordinal);

    [Theory]
    [InlineData("N")]
    [InlineData("n")]
    public void The_letter_that_stands_for_a_number_in_the_documents_is_no_number(string letter) =>
        Assert.Equal(
            $"--Broker:Listeners:Mqtt:{letter}:Port is not a setting: it takes a number in place of N, 0 for the first entry, 1 for the second",
            Refusal($"--Broker:Listeners:Mqtt:{letter}:Port=1884"));

    [Fact]
    public void A_number_that_is_missing_is_asked_for() =>
        Assert.EndsWith(
            "did you mean --Broker:Listeners:Mqtt:N:MaxConnections with a number in place of N, 0 for the first entry?",
            Refusal("--Broker:Listeners:Mqtt:x:MaxConnections=1"),
            StringComparison.Ordinal);

    [Fact]
    public void A_category_of_the_log_may_have_any_name() =>
        Assert.Equal(LogLevel.Debug, Load("--Broker:Log:Levels:N=Debug").Log.Levels["N"]);

    [Fact]
    public void Every_wrong_value_has_its_line() =>
        Assert.Equal(2, Refusal("--Broker:Session:MaxInflight=0", "--Broker:Limits:ReceiveMaximum=0").Split('\n').Length);

    [Theory]
    [InlineData("--Broker:Listeners:Mqtt:0:Address=1.2.3")]
    [InlineData("--Broker:Http:Address=example.org")]
    [InlineData("--Broker:Session:LowWatermark=0.9")]
    [InlineData("--Broker:Cluster:GiveUpAfter=9s")]
    [InlineData("--Broker:Admin:User=root")]
    [InlineData("--Broker:Admin:Token=short")]
    public void Rules_between_settings_are_checked(string argument) =>
        Assert.Contains(argument.Split('=')[0], Refusal(argument), StringComparison.Ordinal);

    [Theory]
    [InlineData("", "secret", "User")]
    [InlineData("root", "", "Password")]
    [InlineData("root", "  ", "Password")]
    public void Half_an_administrator_is_refused_and_the_empty_half_is_named(string user, string password, string missing)
    {
        _environment["Broker__Admin__User"] = user;
        _environment["Broker__Admin__Password"] = password;

        var line = Refusal();

        Assert.StartsWith("Broker__Admin__User (Broker:Admin:User) and Broker__Admin__Password (Broker:Admin:Password)", line, StringComparison.Ordinal);
        Assert.EndsWith($"given together or not at all; Broker:Admin:{missing} is empty or not set", line, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("User")]
    [InlineData("User", "Password")]
    [InlineData("Password", "Token")]
    [InlineData("User", "Password", "Token")]
    public void An_administrator_that_is_empty_is_none(params string[] names)
    {
        foreach (var name in names)
        {
            _environment[$"Broker__Admin__{name}"] = "";
        }

        Assert.False(Load().Admin.IsConfigured);
    }

    [Fact]
    public void An_empty_token_leaves_user_and_password()
    {
        _environment["Broker__Admin__Token"] = "";

        var admin = Load("--Broker:Admin:User=root", "--Broker:Admin:Password=pass").Admin;

        Assert.True(admin.IsConfigured);
        Assert.Null(admin.Token);
    }

    [Fact]
    public void A_secret_is_not_repeated()
    {
        Assert.DoesNotContain("hush", Refusal("--Broker:Admin:Token=hush"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_json_is_one_line()
    {
        WriteFile("{");

        Assert.DoesNotContain('\n', Refusal());
    }

    private readonly Hashtable _environment = [];

    private void WriteFile(string text) => File.WriteAllText(_folder.File("appsettings.json"), text);

    private BrokerOptions Load(params string[] arguments) => BrokerConfiguration.Load(
        [_folder.Path], _environment, CommandLine.Parse([$"--data={_folder.File("data")}", .. arguments]).Values);

    private string Refusal(params string[] arguments) =>
        Assert.Throws<StartupException>(() => Load(arguments)).Message;
}
