namespace Broker.Gateway.Connections;

/// <summary>Something with buffered output that is flushed once at the end of a batch.</summary>
internal interface IFlushable : IThreadPoolWorkItem
{
    void Flush();
}
