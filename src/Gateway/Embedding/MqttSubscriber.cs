using System.Runtime.CompilerServices;

namespace Broker.Gateway.Embedding;

/// <summary>
/// A subscriber inside the process. A message of QoS 1 is acknowledged when the next one is asked for, so one whose handling fails, by an
/// exception that leaves the loop, was not: it comes again in the next loop, or with a durable session to the next subscriber.
/// </summary>
public sealed class MqttSubscriber : IAsyncDisposable
{
    private readonly SubscriberLink _link;
    private ReceivedMessage? _unfinished;
    private int _isReading;

    internal MqttSubscriber(SubscriberLink link, string clientId, bool isResumed)
    {
        _link = link;
        ClientId = clientId;
        IsResumed = isResumed;
    }

    /// <summary>Client Identifier of its session.</summary>
    public string ClientId { get; }

    /// <summary>Whether it goes on with the session of an earlier subscriber (Session Present).</summary>
    public bool IsResumed { get; }

    /// <summary>
    /// The messages, in order, as they come. One loop at a time. It ends when the subscriber is disposed of and when the broker stops.
    /// </summary>
    /// <exception cref="MqttReasonException">
    /// The session is not this subscriber's any more: another one of the same name has it, or the broker has ended it.
    /// </exception>
    /// <exception cref="InvalidOperationException">Another loop is under way.</exception>
    public async IAsyncEnumerable<ReceivedMessage> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _isReading, 1) != 0)
        {
            throw new InvalidOperationException("A subscriber is read by one loop at a time.");
        }

        try
        {
            while (!_link.IsClosed)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (_unfinished is null && !_link.Unread.TryRead(out _unfinished))
                {
                    if (!await _link.Unread.WaitToReadAsync(cancellationToken))
                    {
                        break;
                    }

                    continue;
                }

                yield return _unfinished;
                _link.Finish(_unfinished);
                _unfinished = null;
            }

            if (_link.CloseReason is { } reason)
            {
                throw new MqttReasonException(reason, "The session has been taken from the subscriber");
            }
        }
        finally
        {
            Volatile.Write(ref _isReading, 0);
        }
    }

    /// <summary>Ends it. A durable session goes on collecting.</summary>
    public ValueTask DisposeAsync()
    {
        _link.End();
        return ValueTask.CompletedTask;
    }
}
