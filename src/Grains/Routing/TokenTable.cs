using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Broker.Grains.Routing;

/// <summary>Text of a level to its <see cref="Token" />.</summary>
internal sealed class TokenTable : RefTable<Token>
{
    /// <summary>The token of a level, null when no wildcard filter names it. Without the lock.</summary>
    public Token? Find(ReadOnlySpan<byte> text, ulong hash)
    {
        var shard = Shards.Find(hash);
        ref var tags = ref MemoryMarshal.GetArrayDataReference(shard.Tags);
        ref var items = ref MemoryMarshal.GetArrayDataReference(shard.Items);
        var wanted = RefShard<Token>.TagOf(hash);
        for (var slot = Shard.SlotOf(hash); ; slot = (slot + 1) & (Shard.SlotCount - 1))
        {
            var tag = Volatile.Read(ref Unsafe.Add(ref tags, slot));
            if (tag == 0)
            {
                return null;
            }

            if (tag == wanted && Unsafe.Add(ref items, slot) is { } token && text.SequenceEqual(token.Text))
            {
                return token;
            }
        }
    }

    protected override ulong HashOf(Token item) => item.Hash;
}
