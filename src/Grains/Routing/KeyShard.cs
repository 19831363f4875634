using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Broker.Grains.Routing;

/// <summary>
/// Shard of the table of filters without wildcard. The slot word says where the key lies, so a topic that no filter names
/// costs one look into the slots. The bytes are always compared; a hash alone decides nothing.
/// </summary>
/// <remarks>
/// Slot word: tag : 24 | offset of the key : 28 | entry + 1 : 12; 0 is empty. Key: length : 16 | bytes. A shard has
/// at most 768 keys of at most 65,535 bytes, which fits in 28 bits.
/// </remarks>
internal sealed class KeyShard(int depth, uint pattern, int entries, int keyBytes) : Shard(depth, pattern)
{
    private const int TagShift = 40;
    private const int OffsetShift = 12;
    private const int LengthBytes = 2;

    private readonly ulong[] _slots = new ulong[SlotCount];
    private readonly byte[] _keys = new byte[keyBytes];
    private int _keyBytes;

    /// <summary>First subscriber of each entry; null when it left, or when the entry is dead.</summary>
    public readonly object?[] One = new object?[entries];

    /// <summary>Further subscribers of each entry; no array as long as no entry has two.</summary>
    public SubscriberSet?[]? More;

    /// <summary>Bytes of key storage that a key takes.</summary>
    public static int SizeOf(int keyLength) => keyLength + LengthBytes;

    public bool HasRoom(int keyLength) =>
        Used < One.Length && Used < MaxUsed && _keys.Length - _keyBytes >= SizeOf(keyLength);

    /// <summary>Starts loading what <see cref="Find" /> will read first. Without the lock.</summary>
    public void PrefetchSlot(ulong hash) =>
        Prefetch.Line(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_slots), SlotOf(hash)));

    /// <summary>Starts loading the key and the subscriber that the first slot speaks of. Without the lock.</summary>
    public void PrefetchEntry(ulong hash)
    {
        var word = Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_slots), SlotOf(hash));
        if (word >> TagShift == hash >> TagShift)
        {
            Prefetch.Line(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_keys), OffsetOf(word)));
            Prefetch.Line(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(One), Math.Max(0, EntryOf(word))));
        }
    }

    /// <summary>The entry of a key, -1 when there is none. Without the lock.</summary>
    public int Find(ulong hash, ReadOnlySpan<byte> key)
    {
        ref var slots = ref MemoryMarshal.GetArrayDataReference(_slots);
        for (var slot = SlotOf(hash); ; slot = (slot + 1) & (SlotCount - 1))
        {
            // The loop ends: a quarter of the slots is always empty. Acquire: entry and key were written before the word.
            var word = Volatile.Read(ref Unsafe.Add(ref slots, slot));
            if (word == 0)
            {
                return -1;
            }

            if (word >> TagShift == hash >> TagShift && KeyAt(OffsetOf(word)).SequenceEqual(key))
            {
                return EntryOf(word);
            }
        }
    }

    /// <summary>Adds a key that is not there and for which there is room. Under the lock.</summary>
    public int Append(ulong hash, ReadOnlySpan<byte> key)
    {
        var offset = _keyBytes;
        BinaryPrimitives.WriteUInt16LittleEndian(_keys.AsSpan(offset), (ushort)key.Length);
        key.CopyTo(_keys.AsSpan(offset + LengthBytes));
        _keyBytes += SizeOf(key.Length);
        var entry = Used++;
        var slot = SlotOf(hash);
        while (_slots[slot] != 0)
        {
            slot = (slot + 1) & (SlotCount - 1);
        }

        var word = (hash >> TagShift << TagShift) | ((ulong)(uint)offset << OffsetShift) | (uint)(entry + 1);
        Volatile.Write(ref _slots[slot], word);
        return entry;
    }

    /// <summary>The cell for further subscribers of an entry, made when it is needed. Under the lock.</summary>
    public ref SubscriberSet? MoreOf(int entry)
    {
        if (More is null)
        {
            Volatile.Write(ref More, new SubscriberSet?[One.Length]);
        }

        return ref More[entry];
    }

    /// <summary>Whether no subscriber is left. Under the lock.</summary>
    public bool IsDead(int entry) => One[entry] is null && More?[entry] is null;

    /// <summary>Each entry with a subscriber and the place of its key, in no order.</summary>
    public IEnumerable<(int Entry, int Offset)> LiveEntries()
    {
        foreach (var word in _slots)
        {
            if (word != 0 && !IsDead(EntryOf(word)))
            {
                yield return (EntryOf(word), OffsetOf(word));
            }
        }
    }

    public ReadOnlySpan<byte> KeyAt(int offset)
    {
        var length = BinaryPrimitives.ReadUInt16LittleEndian(_keys.AsSpan(offset));
        return _keys.AsSpan(offset + LengthBytes, length);
    }

    private static int EntryOf(ulong word) => (int)(word & ((1 << OffsetShift) - 1)) - 1;

    private static int OffsetOf(ulong word) => (int)(word >> OffsetShift) & 0xFFF_FFFF;
}
