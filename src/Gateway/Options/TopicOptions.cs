using Broker.Grains.Options;

namespace Broker.Gateway.Options;

/// <summary>What the broker does with topics on its own account. Section <c>Broker:Topics</c>.</summary>
public sealed class TopicOptions
{
    /// <summary>
    /// Rules <c>KIND FILTER PATTERN TARGET</c>, separated by semicolons: a topic, or a Topic Filter, that matches FILTER and the regular expression
    /// PATTERN becomes TARGET, with <c>$1</c> for what the first group matched. KIND: <c>publish</c>, <c>subscribe</c> or <c>all</c>.
    /// </summary>
    [AllowedText("KIND FILTER PATTERN TARGET, separated by ;")]
    public string Rewrite { get; set; } = "";

    /// <summary>Subscriptions that each client gets at CONNECT, <c>filter=qos,filter=qos</c>, with <c>${clientid}</c> and <c>${username}</c>.</summary>
    [AllowedText("filter=qos, separated by commas")]
    public string AutoSubscribe { get; set; } = "";
}
