namespace Broker.Protocol;

/// <summary>Why input was refused: a value, never an exception.</summary>
/// <param name="Reason">What an MQTT 5.0 DISCONNECT or CONNACK says.</param>
/// <param name="SpecId">The broken rule, for example <c>MQTT-3.3.1-4</c>, or a section such as <c>2.1.4</c>.</param>
/// <param name="Description">One sentence for the log and the Reason String.</param>
public sealed record ProtocolViolation(ReasonCode Reason, string SpecId, string Description);
