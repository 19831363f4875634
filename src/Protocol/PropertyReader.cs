using System.Text;

namespace Broker.Protocol;

/// <summary>Walks a property list (MQTT 5.0 section 2.2.2): one property after the other, each checked for place, number and range.</summary>
internal ref struct PropertyReader
{
    private readonly Packets _packet;
    private ByteReader _bytes;
    private ulong _seen;

    /// <param name="packet">Where the list stands.</param>
    public PropertyReader(ReadOnlySpan<byte> list, Packets packet)
    {
        _bytes = new ByteReader(list);
        _packet = packet;
    }

    public PropertyId Id { get; private set; }

    public uint Number { get; private set; }

    /// <summary>Text, binary data, or the name of a pair; still encoded.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Value of a pair.</summary>
    public ReadOnlySpan<byte> Second { get; private set; }

    public readonly ProtocolViolation? Violation => _bytes.Violation;

    /// <summary>Bytes of the list that are not read yet.</summary>
    public readonly int Remaining => _bytes.Remaining;

    public readonly string Text => Encoding.UTF8.GetString(Value);

    /// <summary>Moves to the next property; false at the end or at a violation.</summary>
    public bool Next()
    {
        if (_bytes.Remaining == 0)
        {
            return false;
        }

        var identifier = _bytes.VariableInteger();
        var entry = PropertyTable.Of(identifier);
        if (!_bytes.IsOk)
        {
            return false;
        }

        if (entry.Type == PropertyType.None)
        {
            _bytes.Fail(Protocol.Violation.UnknownProperty);
            return false;
        }

        Id = (PropertyId)identifier;
        if ((entry.Packets & _packet) == 0)
        {
            _bytes.Fail(Protocol.Violation.MisplacedProperty);
            return false;
        }

        if (!NoteFirst(identifier))
        {
            _bytes.Fail(Protocol.Violation.RepeatedProperty);
            return false;
        }

        ReadValue(entry.Type);
        return _bytes.IsOk;
    }

    private bool NoteFirst(int identifier)
    {
        var bit = 1UL << identifier;
        var mayRepeat = Id == PropertyId.UserProperty
            || (Id == PropertyId.SubscriptionIdentifier && _packet == Packets.Publish);
        var isNew = (_seen & bit) == 0;
        _seen |= bit;
        return isNew || mayRepeat;
    }

    private void ReadValue(PropertyType type)
    {
        switch (type)
        {
            case PropertyType.Flag:
                Number = _bytes.Byte();
                Check(Number <= 1, Protocol.Violation.PropertyRange);
                break;
            case PropertyType.UInt16:
                Number = _bytes.UInt16();
                break;
            case PropertyType.PositiveUInt16:
                Number = _bytes.UInt16();
                Check(Number != 0, Protocol.Violation.PropertyRange);
                break;
            case PropertyType.Alias:
                Number = _bytes.UInt16();
                Check(Number != 0, Protocol.Violation.AliasZero);
                break;
            case PropertyType.UInt32:
                Number = _bytes.UInt32();
                break;
            case PropertyType.PositiveUInt32:
                Number = _bytes.UInt32();
                Check(Number != 0, Protocol.Violation.PropertyRange);
                break;
            case PropertyType.PositiveInteger:
                Number = (uint)_bytes.VariableInteger();
                Check(Number != 0, Protocol.Violation.PropertyRange);
                break;
            case PropertyType.Binary:
                Value = _bytes.Binary();
                break;
            case PropertyType.TextPair:
                // Both halves are strings [MQTT-1.5.7-1].
                Value = _bytes.Utf8();
                Second = _bytes.Utf8();
                break;
            case PropertyType.Topic:
                // Response Topic: a string [MQTT-3.3.2-13] without wildcards.
                Value = _bytes.Utf8();
                Check(TopicRules.IsValidName(Value), Protocol.Violation.ResponseTopic);
                break;
            case PropertyType.Text:
            default:
                // Content Type [MQTT-3.3.2-19] and all other strings.
                Value = _bytes.Utf8();
                break;
        }
    }

    private void Check(bool isRight, ProtocolViolation violation)
    {
        if (_bytes.IsOk && !isRight)
        {
            _bytes.Fail(violation);
        }
    }
}
