using System.Collections;
using Broker.Gateway.Configuration;
using Broker.Gateway.Hosting;
using Broker.Gateway.Options;

namespace Broker.Gateway.Tests.Configuration;

/// <summary>What an appsettings.json can say beside values, and what it must not say in vain.</summary>
public sealed class ConfigurationFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("""{ "Broker": { "Sesion": {} } }""", "Broker:Sesion is not a setting; did you mean Broker:Session?")]
    [InlineData("""{ "Broker": { "Sesion": null } }""", "Broker:Sesion is not a setting; did you mean Broker:Session?")]
    [InlineData("""{ "Broker": { "Sesion": [] } }""", "Broker:Sesion is not a setting; did you mean Broker:Session?")]
    [InlineData("""{ "Broker": { "Session": { "MaxInflght": null } } }""", "Broker:Session:MaxInflght is not a setting; did you mean Broker:Session:MaxInflight?")]
    [InlineData("""{ "Broker": { "Session": { "MaxInflight": [] } } }""", "Broker:Session:MaxInflight: '[]' is not allowed; allowed: 1 to 65535")]
    [InlineData("""{ "Broker": { "Session": { "MaxInflight": {} } } }""", "Broker:Session:MaxInflight: '{}' is not allowed; allowed: 1 to 65535")]
    [InlineData("""{ "Broker": { "Session": [] } }""", "Broker:Session: '[]' is not allowed; allowed: an object with settings")]
    [InlineData("""{ "Broker": [] }""", "Broker: '[]' is not allowed; allowed: an object with settings")]
    [InlineData("""{ "Broker": { "Listeners": { "Mqtt": [] } } }""", "Broker:Listeners:Mqtt: '[]' is not allowed; allowed: at least one entry, or no such key")]
    [InlineData("""{ "Broker": { "Listeners": { "Mqtt": {} } } }""", "Broker:Listeners:Mqtt: '{}' is not allowed; allowed: at least one entry, or no such key")]
    [InlineData("""{ "Broker": { "Listeners": { "Mqtt": [ [] ] } } }""", "Broker:Listeners:Mqtt:0: '[]' is not allowed; allowed: an object with settings")]
    [InlineData("""{ "Broker": { "Admin": { "Token": {} } } }""", "Broker:Admin:Token: the value given is not allowed; allowed: at least 16 characters")]
    [InlineData("""{ "Broker:Session:MaxInflight": 0 }""", "Broker:Session:MaxInflight: '0' is not allowed; allowed: 1 to 65535")]
    [InlineData("""{ "Broker:Session": { "MaxInflght": 1 } }""", "Broker:Session:MaxInflght is not a setting; did you mean Broker:Session:MaxInflight?")]
    public void What_has_no_meaning_is_named(string text, string expected)
    {
        Write(text);

        var line = Assert.Throws<StartupException>(() => Load()).Message;

        Assert.Equal($"{_folder.File("appsettings.json")}: {expected}", line);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{ "Broker": null }""")]
    [InlineData("""{ "Broker": {} }""")]
    [InlineData("""{ "Broker": { "Session": {}, "Log": { "Levels": {} }, "Limits": null } }""")]
    [InlineData("""{ "Broker": { "Session": { "MaxInflight": null }, "Data": { "Directory": null }, "Listeners": { "Mqtt": null } } }""")]
    [InlineData("""{ "Logging": { "LogLevel": { "Default": "Debug" } }, "AllowedHosts": "*", "Brokers": [], "BrokerName": 1 }""")]
    public void What_sets_nothing_and_what_is_not_the_brokers_is_passed_over(string text)
    {
        Write(text);

        var options = Load();

        Assert.Equal(100, options.Session.MaxInflight);
        Assert.Equal(1883, Assert.Single(options.Listeners.Mqtt).Port);
        Assert.Equal(_folder.File("data"), options.Data.Directory);
    }

    [Theory]
    [InlineData("""{ "Broker:Session:MaxInflight": 7 }""")]
    [InlineData("""{ "broker:session": { "MaxInflight": 7 } }""")]
    [InlineData("""{ "Broker": { "Session:MaxInflight": 7 } }""")]
    public void Keys_may_be_written_in_one_piece(string text)
    {
        Write(text);

        Assert.Equal(7, Load().Session.MaxInflight);
    }

    [Fact]
    public void An_empty_entry_of_a_list_is_one_with_the_defaults()
    {
        Write("""{ "Broker": { "Listeners": { "Mqtt": [ {}, { "Port": 2 } ] } } }""");

        Assert.Equal([1883, 2], Load().Listeners.Mqtt.Select(static endpoint => endpoint.Port));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\"Broker\"")]
    public void A_file_that_is_no_object_is_refused(string text)
    {
        Write(text);

        Assert.StartsWith(
            $"{_folder.File("appsettings.json")} is not a JSON object", Assert.Throws<StartupException>(() => Load()).Message, StringComparison.Ordinal);
    }

    private void Write(string text) => File.WriteAllText(_folder.File("appsettings.json"), text);

    private BrokerOptions Load() => BrokerConfiguration.Load(
        [_folder.Path], new Hashtable(), CommandLine.Parse([$"--data={_folder.File("data")}"]).Values);
}
