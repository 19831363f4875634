using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using Xunit;
using Xunit.Abstractions;

namespace Broker.Protocol.Tests;

/// <summary>Valid packets, damaged at random. BROKER_FUZZ_SEED repeats a run.</summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    private const int Rounds = 1_000_000;
    private const int AllocationPerByte = 64;
    private const int AllocationPerPacket = 4096;

    // A round takes microseconds; a garbage collection or a busy machine may hold one up, a loop without end would.
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(10);

    [Fact]
    public void A_million_damaged_packets_cause_no_exception_no_hang_and_no_great_allocation()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("BROKER_FUZZ_SEED"), CultureInfo.InvariantCulture, out var given)
            ? given
            : Random.Shared.Next();
        output.WriteLine($"BROKER_FUZZ_SEED={seed}");
        var random = new Random(seed);
        var buffer = new byte[4096];
        var refused = 0;
        var clock = Stopwatch.StartNew();
        for (var round = 0; round < Rounds; round++)
        {
            var (version, valid) = ValidPackets.All[random.Next(ValidPackets.All.Count)];
            valid.CopyTo(buffer, 0);
            var length = valid.Length;
            for (var damage = random.Next(1, 5); damage > 0; damage--)
            {
                length = Damage(random, buffer, length);
            }

            var input = buffer.AsMemory(0, length);
            var pieces = (round & 7) == 0 ? Pieces.Cut(input, [length / 3, length / 2]) : new ReadOnlySequence<byte>(input);
            refused += Run(pieces, version, seed, round) is null ? 0 : 1;
        }

        output.WriteLine($"{Rounds} packets, {refused} refused, {clock.Elapsed.TotalSeconds:F1} s");
        Assert.InRange(refused, Rounds / 4, Rounds - 1);
    }

    private static ReasonCode? Run(ReadOnlySequence<byte> input, ProtocolVersion version, int seed, int round)
    {
        var started = Stopwatch.GetTimestamp();
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            return ServerInput.Check(input, version);
        }
        catch (Exception error)
        {
            throw new InvalidOperationException(
                $"seed {seed}, round {round}, {version}: {Convert.ToHexString(input.ToArray())}", error);
        }
        finally
        {
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated > (AllocationPerByte * input.Length) + AllocationPerPacket || Stopwatch.GetElapsedTime(started) > Hang)
            {
                Assert.Fail($"seed {seed}, round {round}, {version}: {allocated} bytes allocated for {Convert.ToHexString(input.ToArray())}");
            }
        }
    }

    private static int Damage(Random random, byte[] buffer, int length)
    {
        var at = random.Next(Math.Max(1, length));
        switch (random.Next(8))
        {
            case 0 or 1:
                buffer[at] ^= (byte)(1 << random.Next(8));
                return length;
            case 2:
                buffer[at] = (byte)random.Next(256);
                return length;
            case 3:
                return at;
            case 4:
                // Insertion; the fixed header may go along with it.
                buffer.AsSpan(at, Math.Min(length - at, buffer.Length - at - 1)).CopyTo(buffer.AsSpan(at + 1));
                buffer[at] = (byte)random.Next(256);
                buffer[1] += (byte)random.Next(2);
                return Math.Min(length + 1, buffer.Length);
            case 5:
                // Another Remaining Length, or another length of a field.
                buffer[random.Next(2) == 0 ? 1 : at] += (byte)random.Next(-3, 4);
                return length;
            case 6:
                var (_, other) = ValidPackets.All[random.Next(ValidPackets.All.Count)];
                var taken = other.AsSpan(random.Next(other.Length));
                taken = taken[..Math.Min(taken.Length, buffer.Length - at)];
                taken.CopyTo(buffer.AsSpan(at));
                return Math.Max(length, at + taken.Length);
            default:
                buffer[0] = (byte)((random.Next(1, 16) << 4) | (buffer[0] & 0x0F));
                return length;
        }
    }
}
