using System.Buffers;
using Broker.Gateway.Options;
using Broker.Grains.Options;
using Broker.Protocol;
using Microsoft.AspNetCore.Connections;

namespace Broker.Gateway.Connections;

/// <summary>
/// Clients that connect while the broker stops and has a Server Reference for them: the CONNECT is read, refused with Use another server
/// (0x9C) and the reference, and nothing else happens. It takes no session and is no connection of the drain, which need not wait for it.
/// </summary>
internal sealed class LateConnects(ShutdownOptions options, LimitOptions limits)
{
    // Each takes a timer and a read buffer; who comes beyond is closed without a word, which every client understands as well.
    private const int MaxAtOnce = 1000;

    // 1 s: a client that has opened a connection sends its CONNECT at once.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private int _open;

    /// <summary>Answers the CONNECT of a connection if there is something to say, and ends it, in bounded time.</summary>
    public async Task RefuseAsync(ConnectionContext connection)
    {
        var open = Interlocked.Increment(ref _open);
        try
        {
            if (options.ServerReference is not { Length: > 0 } reference || open > MaxAtOnce)
            {
                connection.Abort();
                return;
            }

            using var over = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
            over.CancelAfter(Patience);
            await AnswerAsync(connection, reference, over.Token);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or ConnectionAbortedException)
        {
            // It has gone, or has not said what it wants in time: nobody is owed an answer.
            connection.Abort();
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task AnswerAsync(ConnectionContext connection, string reference, CancellationToken cancellationToken)
    {
        var input = connection.Transport.Input;
        while (true)
        {
            var result = await input.ReadAsync(cancellationToken);
            if (TryAnswer(result.Buffer, reference, out var answer))
            {
                input.AdvanceTo(result.Buffer.End);
                await connection.Transport.Output.WriteAsync(answer, cancellationToken);
                break;
            }

            input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            if (result.IsCompleted)
            {
                break;
            }
        }

        await input.CompleteAsync();
        await connection.Transport.Output.CompleteAsync();
    }

    /// <returns>False: there is no whole packet yet.</returns>
    private bool TryAnswer(ReadOnlySequence<byte> buffer, string reference, out byte[] answer)
    {
        answer = [];
        if (buffer.IsEmpty || buffer.FirstSpan[0] >> 4 != (int)PacketType.Connect)
        {
            // Whoever does not speak MQTT is closed without a word, as at other times.
            return !buffer.IsEmpty;
        }

        var status = PacketFramer.TryRead(ref buffer, limits.MaxPacketSize, out var frame);
        if (status != FrameStatus.Complete || !ConnectPacket.TryDecode(frame, out var connect, out _))
        {
            return status != FrameStatus.Incomplete;
        }

        var packet = new ConnAckPacket { Reason = ReasonCode.UseAnotherServer, ServerReference = reference };
        var explained = packet with { ReasonString = connect.RequestProblemInformation ? ReasonTexts.Of(packet.Reason) : null };
        answer = Encode(explained, connect) ?? Encode(packet, connect) ?? [];
        return true;
    }

    /// <summary>Null when it is larger than the client takes [MQTT-3.1.2-24].</summary>
    private static byte[]? Encode(ConnAckPacket packet, ConnectPacket connect)
    {
        var writer = new ArrayBufferWriter<byte>();
        packet.Write(writer, connect.Version);
        return writer.WrittenCount <= (connect.MaximumPacketSize ?? uint.MaxValue) ? writer.WrittenSpan.ToArray() : null;
    }
}
