using System.Net.Sockets;
using Broker.Protocol;
using Broker.TestKit.Wire;

namespace Broker.TestKit.Clients;

public sealed partial class ScriptedClient
{
    // 64 KiB: what a stream of small packets brings in one read at most.
    private byte[] _buffer = new byte[64 << 10];
    private int _filled;
    private long _bytesReceived;
    private TaskCompletionSource _reading = Completed();

    public long BytesReceived => Interlocked.Read(ref _bytesReceived);

    /// <summary>Leaves what the broker sends in the socket, as a client that hangs does.</summary>
    public void PauseReading() => _reading = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void ResumeReading() => _reading.TrySetResult();

    private static TaskCompletionSource Completed()
    {
        var source = new TaskCompletionSource();
        source.SetResult();
        return source;
    }

    private async Task ReadAsync()
    {
        // The constructor has to return before the first packet can be handled.
        await Task.Yield();
        try
        {
            while (true)
            {
                await _reading.Task;
                var count = await _socket.ReceiveAsync(_buffer.AsMemory(_filled));
                if (count == 0)
                {
                    Close("closed by the broker");
                    return;
                }

                await _reading.Task;
                Interlocked.Add(ref _bytesReceived, count);
                _filled += count;
                await TakePacketsAsync();
            }
        }
        catch (SocketException failure)
        {
            Close($"ended: {failure.SocketErrorCode}");
        }
        catch (ObjectDisposedException)
        {
            Close("closed by the test");
        }
        catch (InvalidDataException malformed)
        {
            _history.Add($"<- malformed: {malformed.Message}");
            Close($"unusable: {malformed.Message}");
        }
    }

    private void Close(string ending)
    {
        _history.Add($"-- {ending}");
        _inbox.Close(ending);
    }

    private async Task TakePacketsAsync()
    {
        var start = 0;
        while (TryFrame(_buffer.AsSpan(start, _filled - start), out var header, out var size))
        {
            var body = _buffer.AsSpan(start + header, size - header).ToArray();
            var packet = ReceivedPacket.Parse(_buffer[start], body, size, Version);
            start += size;
            await HandleAsync(packet);
        }

        _buffer.AsSpan(start, _filled - start).CopyTo(_buffer);
        _filled -= start;
        if (_filled == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }
    }

    private static bool TryFrame(ReadOnlySpan<byte> bytes, out int header, out int size)
    {
        (header, size) = (1, 0);
        for (var shift = 0; shift < 28 && header < bytes.Length; shift += 7)
        {
            var next = bytes[header++];
            size |= (next & 0x7F) << shift;
            if (next < 0x80)
            {
                size += header;
                return bytes.Length >= size;
            }
        }

        return header < 5 ? false : throw new InvalidDataException("Remaining Length of more than four bytes");
    }

    private async Task HandleAsync(ReceivedPacket packet)
    {
        _history.Add($"<- {packet}");
        if (AcknowledgesByItself && Answer(packet) is { } answer)
        {
            await TrySendAsync(answer);
        }

        if (Handler is { } handler)
        {
            handler(packet);
        }
        else
        {
            _inbox.Add(packet);
        }
    }

    private static byte[]? Answer(ReceivedPacket packet) => packet.Type switch
    {
        PacketType.Publish when packet.Qos == 1 => Packets.Ack(PacketType.PubAck, packet.PacketId),
        PacketType.Publish when packet.Qos == 2 => Packets.Ack(PacketType.PubRec, packet.PacketId),
        PacketType.PubRec when packet.Reason < ReasonCode.UnspecifiedError =>
            Packets.Ack(PacketType.PubRel, packet.PacketId),
        PacketType.PubRel => Packets.Ack(PacketType.PubComp, packet.PacketId),
        _ => null,
    };
}
