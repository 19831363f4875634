using System.Text.Unicode;

namespace Broker.Protocol;

/// <summary>UTF-8 Encoded String (MQTT section 1.5.4).</summary>
public static class Utf8Rules
{
    /// <summary>
    /// Well-formed, without surrogates [MQTT-1.5.4-1] and without U+0000 [MQTT-1.5.4-2], in topics as well [MQTT-4.7.3-2]. U+FEFF is a
    /// character like any other [MQTT-1.5.4-3].
    /// </summary>
    public static bool IsValid(ReadOnlySpan<byte> text) => !text.Contains((byte)0) && Utf8.IsValid(text);
}
