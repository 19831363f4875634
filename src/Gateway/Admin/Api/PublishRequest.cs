using System.Text.Json.Serialization;

namespace Broker.Gateway.Admin.Api;

/// <summary>
/// One message in the body of <c>POST /api/v1/publish</c>. What may be left out can be set: the generated reader would give init-only properties a value of its own.
/// </summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record PublishRequest
{
    public required string Topic { get; init; }

    public string Payload { get; set; } = "";

    /// <summary><c>plain</c>, or <c>base64</c>.</summary>
    public string Encoding { get; set; } = "plain";

    public int Qos { get; set; }

    public bool Retain { get; set; }

    /// <summary>
    /// Who publishes, for everything that goes by Client Identifier: authentication and rights, hooks, No Local, groups of shared
    /// subscriptions that choose by it, the loss ledger. Null or empty: <see cref="HttpUser.DefaultId"/>.
    /// </summary>
    public string? ClientId { get; set; }

    public PublishRequestProperties? Properties { get; set; }
}

/// <summary>MQTT 5.0 properties of a message.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record PublishRequestProperties
{
    /// <summary>1: the payload is UTF-8.</summary>
    public int PayloadFormatIndicator { get; set; }

    /// <summary>Seconds.</summary>
    public uint? MessageExpiryInterval { get; set; }

    public string? ContentType { get; set; }

    public string? ResponseTopic { get; set; }

    public byte[]? CorrelationData { get; set; }

    public IReadOnlyList<PublishRequestUserProperty> UserProperties { get; set; } = [];
}

/// <summary>A User Property; the same name may stand there more than once.</summary>
internal sealed record PublishRequestUserProperty(string Name, string Value);

/// <summary>What became of a message.</summary>
/// <param name="Code">MQTT 5.0 reason code: 0 Success, 16 No matching subscribers, 128 and above: refused.</param>
/// <param name="Reason">Its name.</param>
/// <param name="Id">Message id; null for QoS 0 that is not retained, and for what was refused before it was a message.</param>
/// <param name="Error">What was wrong with it.</param>
internal sealed record PublishAnswer(int Code, string Reason, string? Id, string? Error = null);
