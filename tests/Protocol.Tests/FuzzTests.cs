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

    // A round takes microseconds; a garbage collection or a busy machine may hold one up, not for so long.
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);

    private readonly byte[] _buffer = new byte[4096];
    private int _length;
    private int _round;

    [Fact]
    public async Task A_million_damaged_packets_cause_no_exception_no_hang_and_no_great_allocation()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("BROKER_FUZZ_SEED"), CultureInfo.InvariantCulture, out var given)
            ? given
            : Random.Shared.Next();
        output.WriteLine($"BROKER_FUZZ_SEED={seed}");
        var clock = Stopwatch.StartNew();

        // On a thread that nobody waits for at the end of the process: one in a loop without end does not come back.
        var run = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => Complete(run, seed)) { IsBackground = true, Name = "fuzz" }.Start();
        for (var seen = -1; await Task.WhenAny(run.Task, Task.Delay(Hang)) != run.Task; seen = Volatile.Read(ref _round))
        {
            if (Volatile.Read(ref _round) == seen)
            {
                Assert.Fail($"seed {seed}, round {seen} does not end: {Convert.ToHexString(_buffer.AsSpan(0, _length))}");
            }
        }

        var refused = await run.Task;
        output.WriteLine($"{Rounds} packets, {refused} refused, {clock.Elapsed.TotalSeconds:F1} s");
        Assert.InRange(refused, Rounds / 4, Rounds - 1);
    }

    private void Complete(TaskCompletionSource<int> run, int seed)
    {
        try
        {
            run.SetResult(RunAll(seed));
        }
        catch (Exception failure)
        {
            // Whatever it is, it is the outcome of the test.
            run.SetException(failure);
        }
    }

    private int RunAll(int seed)
    {
        var random = new Random(seed);
        var refused = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var (version, valid) = ValidPackets.All[random.Next(ValidPackets.All.Count)];
            valid.CopyTo(_buffer, 0);
            _length = valid.Length;
            for (var damage = random.Next(1, 5); damage > 0; damage--)
            {
                _length = Damage(random, _buffer, _length);
            }

            Volatile.Write(ref _round, round);
            var input = _buffer.AsMemory(0, _length);
            var pieces = (round & 7) == 0 ? Pieces.Cut(input, [_length / 3, _length / 2]) : new ReadOnlySequence<byte>(input);
            refused += Run(pieces, version, seed, round) is null ? 0 : 1;
        }

        return refused;
    }

    private static ReasonCode? Run(ReadOnlySequence<byte> input, ProtocolVersion version, int seed, int round)
    {
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
            if (allocated > (AllocationPerByte * input.Length) + AllocationPerPacket)
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
