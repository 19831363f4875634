using System.Buffers.Binary;
using System.Text;

namespace Broker.TestKit.Wire;

/// <summary>Reads the data types of MQTT 5.0 section 1.5; throws on anything that does not follow it.</summary>
public ref struct WireReader(ReadOnlySpan<byte> bytes)
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private ReadOnlySpan<byte> _rest = bytes;

    public readonly int Left => _rest.Length;

    public byte Byte() => Take(1)[0];

    public ushort Short() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    public uint Int() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    public uint VarInt()
    {
        uint value = 0;
        for (var shift = 0; shift < 28; shift += 7)
        {
            var next = Byte();
            value |= (uint)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw new InvalidDataException("a Variable Byte Integer of more than four bytes");
    }

    public string Text() => StrictUtf8.GetString(Take(Short()));

    public byte[] Binary() => Take(Short()).ToArray();

    public byte[] Rest() => Take(_rest.Length).ToArray();

    public PropertyCollection Properties()
    {
        var properties = new PropertyCollection();
        var body = new WireReader(Take((int)VarInt()));
        while (body.Left > 0)
        {
            body.Property(properties);
        }

        return properties;
    }

    private void Property(PropertyCollection properties)
    {
        var id = (Prop)VarInt();
        switch (PropertySize.Of(id))
        {
            case 1:
                properties.Add(id, Byte());
                break;
            case 2:
                properties.Add(id, Short());
                break;
            case 4:
                properties.Add(id, Int());
                break;
            default:
                Variable(id, properties);
                break;
        }
    }

    private void Variable(Prop id, PropertyCollection properties)
    {
        switch (id)
        {
            case Prop.SubscriptionIdentifier:
                properties.Add(id, VarInt());
                break;
            case Prop.UserProperty:
                properties.Add(id, Text(), Text());
                break;
            case Prop.CorrelationData or Prop.AuthenticationData:
                properties.Add(id, Binary());
                break;
            case Prop.ContentType or Prop.ResponseTopic or Prop.AssignedClientIdentifier or Prop.AuthenticationMethod
                or Prop.ResponseInformation or Prop.ServerReference or Prop.ReasonString:
                properties.Add(id, Text());
                break;
            default:
                throw new InvalidDataException($"the broker sent property 0x{(int)id:X2}, which does not exist");
        }
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length)
        {
            throw new InvalidDataException($"a field of {count} bytes where {_rest.Length} are left");
        }

        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
