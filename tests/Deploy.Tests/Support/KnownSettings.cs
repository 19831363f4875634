using System.Collections;
using Broker.Gateway.Configuration;
using Broker.Gateway.Options;

namespace Broker.Deploy.Tests.Support;

/// <summary>Environment variables of a deployment, read as the program reads them.</summary>
internal static class KnownSettings
{
    /// <summary>The options that they make.</summary>
    /// <exception cref="Gateway.Hosting.StartupException">One is not a key that the program knows, or a value is out of its range.</exception>
    public static BrokerOptions Read(IReadOnlyDictionary<string, string> variables)
    {
        Assert.All(variables.Keys, static name => Assert.StartsWith("Broker__", name, StringComparison.Ordinal));
        return BrokerConfiguration.Load([], new Hashtable(variables.ToDictionary()), []);
    }
}
