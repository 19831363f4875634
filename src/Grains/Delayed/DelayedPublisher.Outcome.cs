using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Protocol;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Delayed;

/// <content>What becomes of a message that was published, and of its row.</content>
public sealed partial class DelayedPublisher
{
    /// <summary>Everybody has the message, or it is for nobody any more.</summary>
    private void Remove(DelayedRow row, bool isPublished)
    {
        var removal = new Removal([row]);
        store.Post(removal);
        removal.Committed.ContinueWith(
            done =>
            {
                if (done.Exception is null)
                {
                    Removed(row, isPublished);
                }
                else
                {
                    // It was written for as long as that made sense, or the broker stops: whoever has the row finds it as it is.
                    Retry(row);
                }
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private void Removed(DelayedRow row, bool isPublished)
    {
        messages.Gone(row.Message.Size, isPublished);
        End(row);
    }

    private void Refused(DelayedRow row, ReasonCode reason)
    {
        Refused(row.Message.Id, reason);
        Retry(row);
    }

    /// <summary>It is looked for again in a moment.</summary>
    private void Retry(DelayedRow row)
    {
        End(row);
        messages.LookAt(Now + RetryPause);
    }

    [LoggerMessage(2060, LogLevel.Warning, "Delayed messages that are due cannot be published; tried again every second: {Cause}")]
    private partial void NotPublished(string cause);

    [LoggerMessage(2061, LogLevel.Debug, "Delayed message {Id} was refused ({Reason}); published again shortly to those that do not have it")]
    private partial void Refused(MessageId id, ReasonCode reason);

    [LoggerMessage(2062, LogLevel.Debug, "Delayed message {Id} is retained, and published as {NewId}")]
    private partial void Renamed(MessageId id, MessageId newId);

    /// <summary>Told when everybody has committed the message.</summary>
    private sealed class Publication(DelayedPublisher owner, DelayedRow row, PublishRecord record) : IPublishWaiter
    {
        public void Published(ReasonCode reason)
        {
            if (reason is not (ReasonCode.Success or InternalOutcome.Elsewhere))
            {
                owner.Refused(row, reason);
            }
            else if (record.RemovesDelayed)
            {
                owner.Removed(row, isPublished: true);
            }
            else
            {
                owner.Remove(row, isPublished: true);
            }
        }
    }

    private sealed class Removal(IReadOnlyList<DelayedRow> rows) : AwaitableWrite
    {
        public override bool MustSucceed => true;

        public override void AddTo(IStoreBatch batch)
        {
            foreach (var row in rows)
            {
                batch.DeleteDelayed(row.Message.Id);
            }
        }
    }
}
