using CsCheck;

namespace Broker.Protocol.Tests;

/// <summary>Generators of valid packets.</summary>
internal static class Samples
{
    public static readonly Gen<ProtocolVersion> Version =
        OneOf(ProtocolVersion.Mqtt31, ProtocolVersion.Mqtt311, ProtocolVersion.Mqtt5);

    public static readonly Gen<QualityOfService> Qos =
        OneOf(QualityOfService.AtMostOnce, QualityOfService.AtLeastOnce, QualityOfService.ExactlyOnce);

    public static readonly Gen<ushort> PacketId = Gen.UShort[1, ushort.MaxValue];

    /// <summary>Characters of one, two and three bytes; no U+0000, no surrogate.</summary>
    public static readonly Gen<string> Text =
        Gen.OneOf(Gen.Char['\u0001', '\u007F'], Gen.Char['\u0080', '\uD7FF'], Gen.Char['\uE000', '\uFFFD'])
            .Array[0, 40].Select(characters => new string(characters));

    public static readonly Gen<string> Topic = Text.Select(text => "t" + text.Replace('#', '/').Replace('+', '/'));

    public static readonly Gen<string> Filter = Gen.Select(Topic, OneOf("", "/#", "/+", "/+/x"), (topic, end) => topic + end);

    public static readonly Gen<byte[]> Bytes = Gen.Byte.Array[0, 40];

    public static readonly Gen<UserProperty[]> Users = Gen.Select(Text, Text, (name, value) => new UserProperty(name, value)).Array[0, 3];

    public static readonly Gen<string?> MaybeText = Maybe(Text);

    public static readonly Gen<byte[]?> MaybeBytes = Maybe(Bytes);

    public static readonly Gen<uint?> MaybeUInt = MaybeValue(Gen.UInt);

    public static readonly Gen<bool?> MaybeBool = MaybeValue(Gen.Bool);

    public static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);

    public static Gen<T?> MaybeValue<T>(Gen<T> gen) where T : struct =>
        Gen.Select(Gen.Bool, gen, (isThere, value) => isThere ? value : (T?)null);

    public static Gen<T?> Maybe<T>(Gen<T> gen) where T : class =>
        Gen.Select(Gen.Bool, gen, (isThere, value) => isThere ? value : null);
}
