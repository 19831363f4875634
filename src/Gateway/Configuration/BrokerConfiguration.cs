using Broker.Gateway.Options;
namespace Broker.Gateway.Configuration;
internal sealed class BrokerConfiguration
{
    public BrokerOptions Options { get; } = new();
    public static BrokerConfiguration Load(string[] args) => new();
}
