using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Broker.Protocol;

/// <summary>
/// The properties of one packet other than PUBLISH, by identifier: numbers, texts and binary data. Reading and writing go
/// through <see cref="PropertyTable"/>, so no packet can carry a property it does not have.
/// </summary>
internal sealed class PropertySet
{
    private readonly SortedDictionary<PropertyId, uint> _numbers = [];
    private readonly SortedDictionary<PropertyId, byte[]> _bytes = [];
    private List<UserProperty>? _users;

    public IReadOnlyList<UserProperty> Users => _users is null ? [] : _users;

    public uint? Number(PropertyId id) => _numbers.TryGetValue(id, out var value) ? value : null;

    public bool? Flag(PropertyId id) => Number(id) is { } value ? value != 0 : null;

    public byte[]? Bytes(PropertyId id) => _bytes.GetValueOrDefault(id);

    public string? Text(PropertyId id) => Bytes(id) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;

    public PropertySet Set(PropertyId id, uint? value)
    {
        if (value is { } number)
        {
            _numbers[id] = number;
        }

        return this;
    }

    public PropertySet Set(PropertyId id, bool? value) => Set(id, value is { } flag ? (flag ? 1u : 0u) : null);

    public PropertySet Set(PropertyId id, byte[]? value)
    {
        if (value is not null)
        {
            _bytes[id] = value;
        }

        return this;
    }

    public PropertySet Set(PropertyId id, string? value) => Set(id, value is null ? null : Encoding.UTF8.GetBytes(value));

    public PropertySet Set(IReadOnlyList<UserProperty> users)
    {
        _users = users.Count == 0 ? null : [.. users];
        return this;
    }

    /// <summary>Reads a list with its length; violations are noted in <paramref name="reader"/>.</summary>
    public static PropertySet Read(ref ByteReader reader, Packets packet)
    {
        var set = new PropertySet();
        var properties = new PropertyReader(reader.Take(reader.VariableInteger()), packet);
        while (properties.Next())
        {
            set.Add(properties);
        }

        if (properties.Violation is { } violation)
        {
            reader.Fail(violation);
        }

        return set;
    }

    /// <summary>Writes the list with its length, which is 0 when nothing is in it [MQTT-2.2.2-1].</summary>
    public void Write(IBufferWriter<byte> writer)
    {
        var list = new ArrayBufferWriter<byte>();
        foreach (var (id, value) in _numbers)
        {
            list.WriteByte((byte)id);
            WriteNumber(list, PropertyTable.Of((int)id).Type, value);
        }

        foreach (var (id, value) in _bytes)
        {
            list.WriteByte((byte)id);
            list.WriteBinary(value);
        }

        foreach (var user in Users)
        {
            list.WriteByte((byte)PropertyId.UserProperty);
            list.WriteText(user.Name);
            list.WriteText(user.Value);
        }

        writer.WriteVariableInteger(list.WrittenCount);
        writer.Write(list.WrittenSpan);
    }

    /// <summary>Whether nothing is in it.</summary>
    public bool IsEmpty => _numbers.Count == 0 && _bytes.Count == 0 && _users is null;

    private void Add(in PropertyReader property)
    {
        switch (PropertyTable.Of((int)property.Id).Type)
        {
            case PropertyType.TextPair:
                (_users ??= []).Add(new UserProperty(property.Text, Encoding.UTF8.GetString(property.Second)));
                break;
            case PropertyType.Text or PropertyType.Topic or PropertyType.Binary:
                _bytes[property.Id] = property.Value.ToArray();
                break;
            default:
                _numbers[property.Id] = property.Number;
                break;
        }
    }

    private static void WriteNumber(ArrayBufferWriter<byte> list, PropertyType type, uint value)
    {
        switch (type)
        {
            case PropertyType.Flag:
                list.WriteByte((byte)value);
                break;
            case PropertyType.UInt16 or PropertyType.PositiveUInt16 or PropertyType.Alias:
                list.WriteUInt16((ushort)value);
                break;
            case PropertyType.PositiveInteger:
                list.WriteVariableInteger((int)value);
                break;
            default:
                BinaryPrimitives.WriteUInt32BigEndian(list.GetSpan(4), value);
                list.Advance(4);
                break;
        }
    }
}
