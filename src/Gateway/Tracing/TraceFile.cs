using System.Text;

namespace Broker.Gateway.Tracing;

/// <summary>The file of a trace; readable by its owner only, because it says what clients send.</summary>
internal sealed class TraceFile : IDisposable
{
    // 64 KiB: some hundred lines in one write, and no more than a burst of them is in memory only.
    private const int Buffer = 64 << 10;

    private readonly StreamWriter _writer;
    private readonly long _limit;
    private long _bytes;

    /// <param name="limit">Bytes.</param>
    /// <param name="continues">Whether there is one already, to be added to.</param>
    /// <exception cref="IOException">There is one and there should not be, or it cannot be made.</exception>
    public TraceFile(string path, long limit, bool continues)
    {
        _limit = limit;
        var options = new FileStreamOptions
        {
            Mode = continues ? FileMode.Append : FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.Read | FileShare.Delete, BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows() && !continues)
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        var stream = new FileStream(path, options);
        _bytes = stream.Length;
        _writer = new StreamWriter(stream, new UTF8Encoding(false), Buffer) { NewLine = "\n" };
        if (continues)
        {
            // Its process may have been killed in the middle of a line.
            Note("");
        }
    }

    /// <summary>Size.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Whether nothing can be written any more.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Adds an event. False: the file would be larger than it may be.</summary>
    public bool TryAdd(string line)
    {
        var size = SizeOf(line);
        if (_bytes + size > _limit)
        {
            return false;
        }

        Append(line, size);
        return true;
    }

    /// <summary>Adds something about the trace itself; few, so that the limit need not count them.</summary>
    public void Note(string line) => Append(line, SizeOf(line));

    public void Flush() => _writer.Flush();

    /// <inheritdoc />
    public void Dispose()
    {
        IsClosed = true;
        _writer.Dispose();
    }

    private static int SizeOf(string line) => Encoding.UTF8.GetByteCount(line) + 1;

    private void Append(string line, int size)
    {
        _writer.WriteLine(line);
        Volatile.Write(ref _bytes, _bytes + size);
    }
}
