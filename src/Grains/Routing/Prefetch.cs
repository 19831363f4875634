using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Broker.Grains.Routing;

/// <summary>
/// Asks the processor to load memory that is read a little later, so that misses overlap instead of
/// following each other. Only a hint: it reads nothing, cannot fail, and is nothing on processors without it.
/// </summary>
internal static unsafe class Prefetch
{
    /// <summary>The cache line of a variable. The garbage collector may move it meanwhile: then the hint was in vain.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Line<T>(ref T target)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(Unsafe.AsPointer(ref target));
        }
    }
}
