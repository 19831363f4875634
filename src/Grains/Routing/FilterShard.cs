using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Broker.Grains.Routing;

/// <summary>
/// One bucket of the extendible hash table of all filters. Readers use it without a lock, so what it says about a place
/// changes only from "empty" to "this key" while the shard is in use, and never to another key: a reader may be looking at it.
/// Space of removed keys comes back when the shard is replaced by a fresh copy; the garbage collector keeps the old one for
/// as long as a reader needs it, and that is the whole reclamation scheme.
/// </summary>
/// <remarks>
/// The first subscriber of a filter stands right beside its hash: most filters have one, which then costs no further look at
/// memory. Further ones are in a set with a place of its own. Keys are always compared: a hash alone decides nothing.
/// Key: length : 16 | bytes. At most 1,280 keys of at most 65,535 bytes, which fits in the 28 bits of an offset.
/// </remarks>
internal sealed class FilterShard(int depth, uint pattern, int keyBytes)
{
    /// <summary>Places of a shard. Few, so that a copy takes microseconds and no writer waits long.</summary>
    public const int SlotCount = 1 << SlotBits;

    /// <summary>Bits of a hash that choose the first place.</summary>
    public const int SlotBits = 11;

    /// <summary>Most places in use, dead ones included: five eighths, where most looks end at the first cache line.</summary>
    public const int MaxUsed = SlotCount / 8 * 5;

    /// <summary>A full shard with more live places than this is split; with fewer it is copied without its dead ones.</summary>
    public const int SplitAbove = SlotCount / 16 * 7;

    /// <summary>Two halves are joined when together they hold at most this many, well below the split.</summary>
    public const int JoinBelow = SlotCount / 4;

    private const int LengthBytes = sizeof(ushort);

    private readonly FilterSlot[] _slots = new FilterSlot[SlotCount];
    private readonly byte[] _keys = new byte[keyBytes];
    private int _keyBytes;

    /// <summary>How many hash bits the directory uses to come here.</summary>
    public int Depth { get; } = depth;

    /// <summary>The value of those bits.</summary>
    public uint Pattern { get; } = pattern;

    /// <summary>Places in use, dead ones included. Writers only.</summary>
    public int Used { get; private set; }

    /// <summary>Places with a value. Writers only.</summary>
    public int Live { get; private set; }

    /// <summary>All places, in no order; those without a value are dead or empty.</summary>
    public ReadOnlySpan<FilterSlot> Slots => _slots;

    /// <summary>Bytes of key storage that a key takes.</summary>
    public static int SizeOf(int keyLength) => keyLength + LengthBytes;

    /// <summary>Whether a key of so many bytes can be appended.</summary>
    public bool HasRoom(int keyLength) => Used < MaxUsed && _keys.Length - _keyBytes >= SizeOf(keyLength);

    /// <summary>Whether a key belongs to the upper half when this shard is split.</summary>
    public bool GoesUp(ulong hash) => ((FilterSlot.DirectoryBits(hash) >> Depth) & 1) != 0;

    /// <summary>A place. Without the lock.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref FilterSlot At(int place) => ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_slots), place);

    /// <summary>Starts loading a key. Without the lock.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrefetchKey(ulong word) => Prefetch.Line(ref KeyAt(word));

    /// <summary>The key that a word of this shard speaks of.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> KeyOf(ulong word)
    {
        // The length of the array, which a check would need, is on a line that nothing else needs.
        ref var key = ref KeyAt(word);
        return MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref key, LengthBytes), Unsafe.ReadUnaligned<ushort>(ref key));
    }

    /// <summary>The places of a key's first subscriber and of its set, -1 where there is none. Without the lock.</summary>
    public (int One, int Set) Find(ulong hash, ReadOnlySpan<byte> key)
    {
        var (one, set) = (-1, -1);

        // The loop ends: three eighths of the places are always empty. Acquire: the key was written before the word.
        for (var place = FilterSlot.FirstPlace(hash); Volatile.Read(ref At(place).Word) is var word and not 0; place = Next(place))
        {
            if (FilterSlot.Agrees(word, hash) && KeyOf(word).SequenceEqual(key))
            {
                (one, set) = (word & FilterSlot.IsSet) == 0 ? (place, set) : (one, place);
            }
        }

        return (one, set);
    }

    /// <summary>What has a place, null when there is nothing now or no place. Without the lock.</summary>
    public object? Value(int place) => place < 0 ? null : Volatile.Read(ref At(place).Value);

    /// <summary>Gives a place whose value was cleared another one. Under the lock.</summary>
    public void Put(int place, object value)
    {
        Volatile.Write(ref At(place).Value, value);
        Live++;
    }

    /// <summary>Takes the value of a place away, which has one. Under the lock.</summary>
    public void Clear(int place)
    {
        Volatile.Write(ref At(place).Value, null);
        Live--;
    }

    /// <summary>Gives a key that has no place of this kind one, for which there is room. Under the lock.</summary>
    /// <param name="kind">0 or <see cref="FilterSlot.IsSet" />.</param>
    public void Append(ulong hash, ReadOnlySpan<byte> key, ulong kind, object value)
    {
        var offset = -1;
        var place = FilterSlot.FirstPlace(hash);
        for (; At(place).Word is var word and not 0; place = Next(place))
        {
            if (FilterSlot.Agrees(word, hash) && KeyOf(word).SequenceEqual(key))
            {
                offset = FilterSlot.KeyOffset(word);
            }
        }

        // The value before the word that makes readers look at it.
        At(place).Value = value;
        Volatile.Write(ref At(place).Word, FilterSlot.WordOf(hash, offset < 0 ? Store(key) : offset, kind));
        Used++;
        Live++;
    }

    /// <summary>The place behind another one, round the end.</summary>
    public static int Next(int place) => (place + 1) & (SlotCount - 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref byte KeyAt(ulong word) =>
        ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_keys), FilterSlot.KeyOffset(word));

    private int Store(ReadOnlySpan<byte> key)
    {
        var offset = _keyBytes;
        MemoryMarshal.Write(_keys.AsSpan(offset), (ushort)key.Length);
        key.CopyTo(_keys.AsSpan(offset + LengthBytes));
        _keyBytes += SizeOf(key.Length);
        return offset;
    }
}
