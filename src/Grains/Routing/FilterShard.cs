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

    /// <summary>The place of a key's first subscriber or of its set, -1 when there is none. Without the lock.</summary>
    /// <param name="kind">0 or <see cref="FilterSlot.IsSet" />.</param>
    public int Find(ulong hash, ReadOnlySpan<byte> key, ulong kind)
    {
        // The loop ends: three eighths of the places are always empty. Acquire: the key was written before the word.
        for (var place = FilterSlot.FirstPlace(hash); ; place = Next(place))
        {
            var word = Volatile.Read(ref At(place).Word);
            if (word == 0)
            {
                return -1;
            }

            if (FilterSlot.Agrees(word, hash) && (word & FilterSlot.IsSet) == kind && KeyOf(word).SequenceEqual(key))
            {
                return place;
            }
        }
    }

    /// <summary>The value of a key, null when there is none. Without the lock.</summary>
    public object? Value(ulong hash, ReadOnlySpan<byte> key, ulong kind) =>
        Find(hash, key, kind) is >= 0 and var place ? Volatile.Read(ref At(place).Value) : null;

    /// <summary>Gives a key a value, in its place or a new one, for which there is room. Under the lock.</summary>
    public void Put(ulong hash, ReadOnlySpan<byte> key, ulong kind, object value)
    {
        var place = Find(hash, key, kind);
        if (place < 0)
        {
            Append(hash, key, kind, value);
            return;
        }

        Live += At(place).Value is null ? 1 : 0;
        Volatile.Write(ref At(place).Value, value);
    }

    /// <summary>Takes the value of a key away, which has one. Under the lock.</summary>
    public void Clear(ulong hash, ReadOnlySpan<byte> key, ulong kind)
    {
        Volatile.Write(ref At(Find(hash, key, kind)).Value, null);
        Live--;
    }

    public static int Next(int place) => (place + 1) & (SlotCount - 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref byte KeyAt(ulong word) =>
        ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_keys), FilterSlot.KeyOffset(word));

    private void Append(ulong hash, ReadOnlySpan<byte> key, ulong kind, object value)
    {
        var other = Find(hash, key, kind ^ FilterSlot.IsSet);
        var offset = other >= 0 ? FilterSlot.KeyOffset(At(other).Word) : Store(key);
        var place = FilterSlot.FirstPlace(hash);
        while (At(place).Word != 0)
        {
            place = Next(place);
        }

        // The value before the word that makes readers look at it.
        At(place).Value = value;
        Volatile.Write(ref At(place).Word, FilterSlot.WordOf(hash, offset, kind));
        Used++;
        Live++;
    }

    private int Store(ReadOnlySpan<byte> key)
    {
        var offset = _keyBytes;
        MemoryMarshal.Write(_keys.AsSpan(offset), (ushort)key.Length);
        key.CopyTo(_keys.AsSpan(offset + LengthBytes));
        _keyBytes += SizeOf(key.Length);
        return offset;
    }
}
