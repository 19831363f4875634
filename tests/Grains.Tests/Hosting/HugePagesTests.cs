using Broker.Grains.Hosting;
using Xunit;

namespace Broker.Grains.Tests.Hosting;

public sealed class HugePagesTests
{
    private static readonly string[] Maps =
    [
        "00400000-00500000 r-xp 00000000 08:02 17                         /usr/bin/dotnet",
        "10000000-10100000 rw-p 00000000 00:00 0                          [heap]",
        "20000000-20001000 rw-p 00000000 00:00 0 ",
        "30000000-30100000 ---p 00000000 00:00 0 ",
        "30100000-30500000 rw-p 00000000 00:00 0                          [anon:gc]",
        "30500000-30600000 ---p 00000000 00:00 0 ",
        "30600000-30700000 rw-p 00000000 00:00 0 ",
        "30700000-90000000 ---p 00000000 00:00 0 ",
        "90000000-90100000 rw-p 00000000 00:00 0 ",
        "a0000000-a0100000 r--p 00000000 08:02 18                         /usr/lib/x.so",
    ];

    [Theory]
    [InlineData(0x3010_0000ul)]
    [InlineData(0x306F_FFFFul)]
    public void Heap_is_the_mappings_without_a_file_around_an_object_up_to_the_reserved_rest(ulong address)
    {
        Assert.True(HugePages.TryFindHeap(Maps, address, out var start, out var end));
        Assert.Equal((0x3000_0000ul, 0x9000_0000ul), (start, end));
    }

    [Theory]
    [InlineData(0x2000_0000ul, 0x2000_0000ul, 0x2000_1000ul)]
    [InlineData(0x9000_0000ul, 0x9000_0000ul, 0x9010_0000ul)]
    public void Other_memory_next_to_it_is_apart(ulong address, ulong expectedStart, ulong expectedEnd)
    {
        Assert.True(HugePages.TryFindHeap(Maps, address, out var start, out var end));
        Assert.Equal((expectedStart, expectedEnd), (start, end));
    }

    [Theory]
    [InlineData(0x0040_0000ul)]
    [InlineData(0x1000_0000ul)]
    [InlineData(0x2FFF_FFFFul)]
    [InlineData(0xA000_0000ul)]
    [InlineData(0xB000_0000ul)]
    public void Address_outside_of_such_memory_has_no_heap(ulong address) =>
        Assert.False(HugePages.TryFindHeap(Maps, address, out _, out _));

    [Fact]
    public void Lines_that_cannot_be_read_end_nothing() =>
        Assert.False(HugePages.TryFindHeap(["", "x", "1-2-3 rw-p 0 0 0", "-"], 1, out _, out _));

    [Fact]
    public void What_is_in_the_heap_is_the_same_after_it_was_put_on_huge_pages()
    {
        var kept = Enumerable.Range(0, 400_000).Select(BitConverter.GetBytes).ToArray();
        var large = new long[16 << 20];
        Array.Fill(large, 7);
        Assert.True(GC.GetTotalMemory(forceFullCollection: false) > HugePages.SmallHeap);

        HugePages.Renew();
        GC.Collect();
        HugePages.Renew();

        Assert.All(Enumerable.Range(0, kept.Length), i => Assert.Equal(i, BitConverter.ToInt32(kept[i])));
        Assert.Equal(7L * large.Length, large.Sum());
    }
}
