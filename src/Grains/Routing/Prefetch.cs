using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Broker.Grains.Routing;

/// <summary>
/// Asks the processor to load memory that is read a little later, so that the misses of a walk overlap instead of
/// following each other. Only a hint: it reads nothing, cannot fail, and is nothing on processors without it.
/// </summary>
internal static unsafe class Prefetch
{
    private const int CacheLine = 64;

    /// <summary>The cache line of a variable. The garbage collector may move it meanwhile: then the hint was in vain.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Line<T>(ref T target)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(Unsafe.AsPointer(ref target));
        }
    }

    /// <summary>An object of up to 120 bytes, which may lie on two cache lines.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Object(object target)
    {
        ref var first = ref Unsafe.As<Body>(target).First;
        Line(ref first);
        Line(ref Unsafe.AddByteOffset(ref first, CacheLine - sizeof(ulong)));
    }

    /// <summary>Any object, seen as the bytes behind its header.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private sealed class Body
    {
        public byte First;
    }
}
