using System.Globalization;
using System.Text;

namespace Broker.Protocol.Tests.Malformed;

/// <summary>Puts packets together from fields written as hexadecimal digits.</summary>
public static class Hex
{
    /// <summary>Stands for the empty property list of MQTT 5.0, and for nothing in 3.x.</summary>
    public const string NoProperties = "P";

    /// <summary>First byte, Remaining Length, fields.</summary>
    public static string Packet(ProtocolVersion version, string firstByte, params string[] fields)
    {
        var body = Join(fields.Select(field => field != NoProperties ? field : version == ProtocolVersion.Mqtt5 ? "00" : ""));
        return Join([firstByte, Integer(Count(body)), body]);
    }

    /// <summary>A property list with its length.</summary>
    public static string Properties(params string[] properties)
    {
        var list = Join(properties);
        return Join([Integer(Count(list)), list]);
    }

    /// <summary>A UTF-8 Encoded String.</summary>
    public static string Text(string text) => Binary(Convert.ToHexString(Encoding.UTF8.GetBytes(text)));

    /// <summary>Bytes with their length before them.</summary>
    public static string Binary(string bytes) =>
        Join([Count(bytes).ToString("X4", CultureInfo.InvariantCulture), bytes]);

    /// <summary>A Variable Byte Integer in its shortest form.</summary>
    public static string Integer(int value) => value < 128
        ? value.ToString("X2", CultureInfo.InvariantCulture)
        : ((value & 0x7F) | 0x80).ToString("X2", CultureInfo.InvariantCulture) + " " + Integer(value >> 7);

    private static int Count(string hex) => hex.Count(char.IsAsciiHexDigit) / 2;

    private static string Join(IEnumerable<string> fields) =>
        string.Join(' ', fields.Select(field => field.Trim()).Where(field => field.Length > 0));
}
