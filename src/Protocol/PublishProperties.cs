using System.Buffers;
using System.Text;

namespace Broker.Protocol;

/// <summary>The properties of a PUBLISH that reach its subscribers, for messages that come from elsewhere than a packet (MQTT 5.0 section 3.3.2.3).</summary>
public sealed record PublishProperties
{
    /// <summary>Payload Format Indicator 1: the payload is UTF-8.</summary>
    public bool PayloadIsUtf8 { get; init; }

    public string? ContentType { get; init; }

    /// <summary>A topic name, without wildcards [MQTT-3.3.2-14].</summary>
    public string? ResponseTopic { get; init; }

    public byte[]? CorrelationData { get; init; }

    /// <summary>In order.</summary>
    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];

    /// <summary>What is wrong with them; null when nothing is.</summary>
    public string? Violation =>
        ResponseTopic is not null && !(IsText(ResponseTopic) && TopicRules.IsValidName(Encoding.UTF8.GetBytes(ResponseTopic)))
            ? "responseTopic is no topic name"
            : ContentType is not null && !IsText(ContentType) ? "contentType is too long or not a text that MQTT allows"
            : CorrelationData?.Length > ushort.MaxValue ? "correlationData is longer than 65,535 bytes"
            : UserProperties.Any(static p => !IsText(p.Name) || !IsText(p.Value)) ? "a user property is too long or not a text that MQTT allows"
            : null;

    /// <summary>The list in the form in which packets carry it, without its length.</summary>
    public byte[] Encode()
    {
        var list = new ArrayBufferWriter<byte>();
        if (PayloadIsUtf8)
        {
            list.WriteByte((byte)PropertyId.PayloadFormatIndicator);
            list.WriteByte(1);
        }

        WriteText(list, PropertyId.ContentType, ContentType);
        WriteText(list, PropertyId.ResponseTopic, ResponseTopic);
        if (CorrelationData is not null)
        {
            list.WriteByte((byte)PropertyId.CorrelationData);
            list.WriteBinary(CorrelationData);
        }

        foreach (var user in UserProperties)
        {
            list.WriteByte((byte)PropertyId.UserProperty);
            list.WriteText(user.Name);
            list.WriteText(user.Value);
        }

        return list.WrittenSpan.ToArray();
    }

    /// <summary>Reads what <see cref="Encode"/> writes. Properties that belong to one hop are passed over, and what follows a violation.</summary>
    public static PublishProperties Decode(ReadOnlySpan<byte> list)
    {
        var properties = new PublishProperties();
        var users = new List<UserProperty>();
        var reader = new PropertyReader(list, Packets.Publish);
        while (reader.Next())
        {
            switch (reader.Id)
            {
                case PropertyId.PayloadFormatIndicator:
                    properties = properties with { PayloadIsUtf8 = reader.Number == 1 };
                    break;
                case PropertyId.ContentType:
                    properties = properties with { ContentType = reader.Text };
                    break;
                case PropertyId.ResponseTopic:
                    properties = properties with { ResponseTopic = reader.Text };
                    break;
                case PropertyId.CorrelationData:
                    properties = properties with { CorrelationData = reader.Value.ToArray() };
                    break;
                case PropertyId.UserProperty:
                    users.Add(new UserProperty(reader.Text, Encoding.UTF8.GetString(reader.Second)));
                    break;
            }
        }

        return properties with { UserProperties = users };
    }

    private static void WriteText(ArrayBufferWriter<byte> list, PropertyId id, string? text)
    {
        if (text is not null)
        {
            list.WriteByte((byte)id);
            list.WriteText(text);
        }
    }

    private static bool IsText(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return bytes.Length <= ushort.MaxValue && Utf8Rules.IsValid(bytes);
    }
}
