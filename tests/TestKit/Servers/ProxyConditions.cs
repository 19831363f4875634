namespace Broker.TestKit.Servers;

/// <summary>What the network between client and broker is like right now.</summary>
public sealed class ProxyConditions
{
    private volatile TaskCompletionSource _open = Opened();
    private long _bytesToClientBeforeCut = long.MaxValue;

    /// <summary>Each read waits this long before it goes on.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Cuts a connection after so many bytes from the broker: in the middle of a packet, if it falls so.</summary>
    public long BytesToClientBeforeCut
    {
        get => Interlocked.Read(ref _bytesToClientBeforeCut);
        set => Interlocked.Exchange(ref _bytesToClientBeforeCut, value);
    }

    /// <summary>Holds everything back, both ways, with the connections open: a cable pulled without notice.</summary>
    public void Freeze() => _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Thaw() => _open.TrySetResult();

    internal async Task PassAsync()
    {
        await _open.Task;
        if (Delay > TimeSpan.Zero)
        {
            await Task.Delay(Delay);
        }
    }

    private static TaskCompletionSource Opened()
    {
        var source = new TaskCompletionSource();
        source.SetResult();
        return source;
    }
}
