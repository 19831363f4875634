using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Broker.Grains.Storage.Sqlite;

/// <content>
/// Messages, deliveries and references. A message goes with its last delivery, in the same transaction. The number of its
/// deliveries stands in <c>message_reference</c> while it is above one; a message without a row there has one. References
/// given back are gathered for the whole batch (<see cref="_released"/>) and settled once per message.
/// </content>
internal sealed partial class SqliteBatchWriter
{
    private readonly Dictionary<long, int> _released = [];
    private readonly List<long> _unreferenced = [];
    private SqliteStatement _putDelivery;
    private SqliteStatement _messageOfDelivery;
    private SqliteStatement _releaseDelivery;
    private SqliteStatement _deleteDelivery;
    private SqliteStatement _messagesOfRange;
    private SqliteStatement _deleteRange;
    private SqliteStatement _putMessage;
    private SqliteStatement _deleteMessages;
    private SqliteStatement _putReference;
    private SqliteStatement _reference;
    private SqliteStatement _deleteReference;
    private StoreBatch? _current;
    private long _referenceRows;
    private int _newReferenceRows;
    private long _highestMessage;

    [MemberNotNull(
        nameof(_putDelivery), nameof(_messageOfDelivery), nameof(_releaseDelivery), nameof(_deleteDelivery),
        nameof(_messagesOfRange), nameof(_deleteRange), nameof(_putMessage), nameof(_deleteMessages),
        nameof(_putReference), nameof(_reference), nameof(_deleteReference))]
    private void PrepareMessages()
    {
        _putDelivery = Prepare(
            """
            INSERT OR REPLACE INTO delivery (session, sequence, message, size, flags, expires_at, identifiers)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """);
        _messageOfDelivery = Prepare("SELECT message FROM delivery WHERE session = ? AND sequence = ?");
        _releaseDelivery = Prepare("UPDATE delivery SET flags = flags | 8 WHERE session = ? AND sequence = ?");
        _deleteDelivery = Prepare("DELETE FROM delivery WHERE session = ? AND sequence = ?");
        _messagesOfRange = Prepare("SELECT message FROM delivery WHERE session = ? AND sequence BETWEEN ? AND ?");
        _deleteRange = Prepare("DELETE FROM delivery WHERE session = ? AND sequence BETWEEN ? AND ?");
        _putMessage = Prepare(
            $"INSERT OR REPLACE INTO message (number, {RowCodec.MessageColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
        _deleteMessages = Prepare("DELETE FROM message WHERE number BETWEEN ? AND ?");
        _putReference = Prepare("INSERT OR REPLACE INTO message_reference (message, count) VALUES (?, ?)");
        _reference = Prepare("SELECT count FROM message_reference WHERE message = ?");
        _deleteReference = Prepare("DELETE FROM message_reference WHERE message = ?");
    }

    private void WriteDeliveries(StoreBatch batch)
    {
        var deliveries = batch.Deliveries;
        for (var i = 0; i < deliveries.Length; i++)
        {
            ref readonly var change = ref deliveries[i];
            if (change.Kind == DeliveryChangeKind.Annulled)
            {
                GiveBackUnstored(in change);
            }
            else if (batch.IsVoid(change.Row.Session, change.Order))
            {
                if (change.Kind == DeliveryChangeKind.Put)
                {
                    GiveBackUnstored(in change);
                }
            }
            else if (change.Kind == DeliveryChangeKind.Put)
            {
                PutDelivery(in change);
            }
            else if (change.Kind == DeliveryChangeKind.Release)
            {
                _rows += _releaseDelivery.Bind(1, change.Row.Session).Bind(2, change.Row.Sequence).Execute();
            }
            else
            {
                i += DeleteRun(deliveries[i..]) - 1;
            }
        }
    }

    /// <summary>A delivery that was counted as a reference and is not stored.</summary>
    private void GiveBackUnstored(in DeliveryChange change)
    {
        // Where the file may hold the row already, its removal gives the reference back; twice would lose a message.
        if (!change.MayExist || _current!.Messages.ContainsKey(change.Row.Message))
        {
            Release(change.Row.Message);
        }
    }

    private void PutDelivery(in DeliveryChange change)
    {
        if (change.MayExist && _messageOfDelivery.Bind(1, change.Row.Session).Bind(2, change.Row.Sequence).Step())
        {
            var replaced = _messageOfDelivery.Int64(0);
            _messageOfDelivery.Reset();
            if (replaced != change.Row.Message)
            {
                Release(replaced);
            }
        }

        _rows += RowCodec.BindDelivery(_putDelivery, in change.Row).Execute();
    }

    /// <summary>Deletes the delivery at the start and those after it that continue its sequence.</summary>
    /// <returns>Number of changes dealt with.</returns>
    private int DeleteRun(ReadOnlySpan<DeliveryChange> changes)
    {
        ref readonly var first = ref changes[0];
        var count = 1;
        while (count < changes.Length
            && changes[count].Kind == DeliveryChangeKind.Delete
            && changes[count].Row.Session == first.Row.Session
            && changes[count].Row.Sequence == first.Row.Sequence + count
            && !_current!.IsVoid(first.Row.Session, changes[count].Order))
        {
            count++;
        }

        var session = first.Row.Session;
        var from = first.Row.Sequence;
        var to = from + count - 1;
        if (count == 1)
        {
            if (_messageOfDelivery.Bind(1, session).Bind(2, from).Step())
            {
                Release(_messageOfDelivery.Int64(0));
                _messageOfDelivery.Reset();
                _rows += _deleteDelivery.Bind(1, session).Bind(2, from).Execute();
            }

            return 1;
        }

        _messagesOfRange.Bind(1, session).Bind(2, from).Bind(3, to);
        while (_messagesOfRange.Step())
        {
            Release(_messagesOfRange.Int64(0));
        }

        _rows += _deleteRange.Bind(1, session).Bind(2, from).Bind(3, to).Execute();
        return count;
    }

    private void Release(long message)
    {
        if (_current is not null && _current.Messages.Count > 0)
        {
            ref var change = ref CollectionsMarshal.GetValueRefOrNullRef(_current.Messages, message);
            if (!System.Runtime.CompilerServices.Unsafe.IsNullRef(ref change))
            {
                change.References--;
                return;
            }
        }

        CollectionsMarshal.GetValueRefOrAddDefault(_released, message, out _)++;
    }

    private void WriteMessages(StoreBatch batch)
    {
        foreach (var (number, change) in batch.Messages)
        {
            if (change.References <= 0)
            {
                if (number <= _highestMessage)
                {
                    _released[number] = int.MaxValue;
                }

                continue;
            }

            _rows += RowCodec.BindMessage(_putMessage.Bind(1, number), 2, change.Message).Execute();
            if (change.References > 1)
            {
                SetReference(number, change.References, stored: number <= _highestMessage && HasReference(number));
            }
            else if (number <= _highestMessage && _referenceRows > 0)
            {
                RemoveReference(number);
            }
        }
    }

    private void WriteReleases()
    {
        _unreferenced.Clear();
        foreach (var (message, released) in _released)
        {
            // Most stores of single-subscriber traffic have no such rows at all: no look-up then.
            if (_referenceRows + _newReferenceRows > 0 && _reference.Bind(1, message).Step())
            {
                var left = _reference.Int64(0) - released;
                _reference.Reset();
                if (left > 1)
                {
                    SetReference(message, left, stored: true);
                    continue;
                }

                RemoveReference(message);
                if (left == 1)
                {
                    continue;
                }
            }

            _unreferenced.Add(message);
        }

        DeleteUnreferenced();
    }

    private void DeleteUnreferenced()
    {
        // Numbers in a row go with one statement: what a session acknowledges was mostly published in a row.
        _unreferenced.Sort();
        for (var i = 0; i < _unreferenced.Count;)
        {
            var first = _unreferenced[i];
            var last = first;
            while (++i < _unreferenced.Count && _unreferenced[i] == last + 1)
            {
                last++;
            }

            _rows += _deleteMessages.Bind(1, first).Bind(2, last).Execute();
        }
    }

    private bool HasReference(long message)
    {
        var found = _reference.Bind(1, message).Step();
        _reference.Reset();
        return found;
    }

    private void SetReference(long message, long count, bool stored)
    {
        _rows += _putReference.Bind(1, message).Bind(2, count).Execute();
        _newReferenceRows += stored ? 0 : 1;
    }

    private void RemoveReference(long message)
    {
        var removed = _deleteReference.Bind(1, message).Execute();
        _rows += removed;
        _newReferenceRows -= removed;
    }
}
