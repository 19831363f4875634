using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Broker.Grains.Hosting;

/// <summary>
/// Has the kernel back a large managed heap with huge pages (2 MiB). A large filter index is read at random: with pages of 4 KiB
/// nearly every read also misses the translation buffer. The runtime has no setting for it that works without memory set
/// aside by the administrator, so the range that the collector has reserved is marked with <c>madvise</c>.
/// </summary>
/// <remarks>
/// Nothing is reserved, and memory that the collector gives back is given back. Where the kernel has no transparent huge
/// pages, does not allow them, or has none at the moment, everything is as without the call. The collector commits memory in
/// small steps, so pages seldom start huge: those in use are put together after each full collection (Linux 6.1 and later;
/// before, the kernel does it in its own time). A heap below <see cref="SmallHeap" /> is left alone: it would only grow.
/// </remarks>
public static partial class HugePages
{
    /// <summary>Bytes of heap from which huge pages are asked for.</summary>
    public const long SmallHeap = 64L << 20;

    // asm-generic/mman-common.h; the same on all processors that .NET runs on.
    private const int AdviceHugePage = 14;
    private const int AdviceCollapse = 25;
    private const ulong PageSize = 2UL << 20;

    // Reserved and not in use is at least so large behind the collector's memory; what comes after it is somebody else's.
    private const ulong Reservation = 1UL << 30;

    private const string Mode = "/sys/kernel/mm/transparent_hugepage/enabled";
    private const string Maps = "/proc/self/maps";

    private static int _isBusy;

    /// <summary>From now on, after each full collection. Call it once.</summary>
    /// <returns>Whether the kernel allows it.</returns>
    public static bool FollowHeap()
    {
        if (!OperatingSystem.IsLinux() || !IsAllowed())
        {
            return false;
        }

        _ = new AfterFullCollection();
        return true;
    }

    /// <summary>Asks for huge pages for all of the heap that is in use, unless it is small. Takes about 0.2 ms a MiB the first time.</summary>
    public static void Renew()
    {
        if (GC.GetTotalMemory(forceFullCollection: false) < SmallHeap || Interlocked.Exchange(ref _isBusy, 1) != 0)
        {
            return;
        }

        try
        {
            if (!TryFindHeap(File.ReadLines(Maps), AddressOfHeap(), out var start, out var end))
            {
                return;
            }

            // Once for what will be committed later, once for each stretch in use: a stretch that is not stops the second.
            _ = Madvise((nint)start, (nuint)(end - start), AdviceHugePage);
            foreach (var line in File.ReadAllLines(Maps))
            {
                if (TryRead(line, out var from, out var to, out var isAnonymous) && isAnonymous && IsInUse(line)
                    && from >= start && to <= end)
                {
                    from = (from + PageSize - 1) & ~(PageSize - 1);
                    to &= ~(PageSize - 1);
                    _ = from < to ? Madvise((nint)from, (nuint)(to - from), AdviceCollapse) : 0;
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // No /proc: no huge pages.
        }
        finally
        {
            Volatile.Write(ref _isBusy, 0);
        }
    }

    /// <summary>The mappings without a file that lie next to each other around an address, up to the reserved rest.</summary>
    internal static bool TryFindHeap(IEnumerable<string> maps, ulong address, out ulong start, out ulong end)
    {
        start = 0;
        end = 0;
        var isReserve = false;
        foreach (var line in maps)
        {
            if (!TryRead(line, out var from, out var to, out var isAnonymous))
            {
                continue;
            }

            if (!isAnonymous || from != end || isReserve)
            {
                if (address < end)
                {
                    break;
                }

                start = from;
            }

            end = isAnonymous ? to : from;
            isReserve = to - from >= Reservation;
            if (address < end && isReserve)
            {
                break;
            }
        }

        return start <= address && address < end;
    }

    private static bool IsAllowed()
    {
        try
        {
            return !File.ReadAllText(Mode).Contains("[never]", StringComparison.Ordinal);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A kernel without them.
            return false;
        }
    }

    // 00400000-00452000 rw-p 00000000 08:02 0   [/path]
    private static bool TryRead(string line, out ulong from, out ulong to, out bool isAnonymous)
    {
        to = 0;
        isAnonymous = false;
        from = 0;
        var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length < 5 || fields[0].Split('-') is not [var first, var last]
            || !ulong.TryParse(first, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out from)
            || !ulong.TryParse(last, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out to))
        {
            return false;
        }

        isAnonymous = fields[1] is "rw-p" or "---p"
            && (fields.Length == 5 || fields[5].StartsWith("[anon:", StringComparison.Ordinal));
        return true;
    }

    private static bool IsInUse(string line) => line.Contains(" rw-p ", StringComparison.Ordinal);

    // Any object will do; where exactly it is does not matter, and neither does it if it moves.
    private static unsafe ulong AddressOfHeap()
    {
        var anything = new object();
        return (ulong)*(nint*)Unsafe.AsPointer(ref anything);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Madvise(nint address, nuint length, int advice);

    /// <summary>Finalised, and made again, after each collection of the oldest generation.</summary>
    private sealed class AfterFullCollection
    {
        ~AfterFullCollection()
        {
            if (!Environment.HasShutdownStarted)
            {
                ThreadPool.UnsafeQueueUserWorkItem(static _ => Renew(), null);
                GC.ReRegisterForFinalize(this);
            }
        }
    }
}
