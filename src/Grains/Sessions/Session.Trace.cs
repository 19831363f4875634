using Broker.Grains.Interfaces.Diagnostics;
using Broker.Grains.Messages;

namespace Broker.Grains.Sessions;

/// <summary>Where a message is in this session, as far as its body is in memory.</summary>
public sealed partial class Session
{
    /// <summary>Null when it is not here.</summary>
    internal MessagePlace? Find(MessageId id)
    {
        lock (_gate)
        {
            foreach (var waiting in _queue.All())
            {
                if (waiting.Message?.Id == id)
                {
                    return new MessagePlace { ClientId = ClientId, State = "queued", PacketId = waiting.WasSent ? waiting.PacketId : 0 };
                }
            }

            for (var item = _inflight.First; item is not null; item = item.Next)
            {
                if (item.Message?.Id == id)
                {
                    return new MessagePlace { ClientId = ClientId, State = "in flight", PacketId = item.PacketId };
                }
            }

            return null;
        }
    }
}
