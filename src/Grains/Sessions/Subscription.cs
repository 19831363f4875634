using System.Text;
using Broker.Protocol;

namespace Broker.Grains.Sessions;

/// <summary>
/// A session's interest in one Topic Filter: the entry that the silo's filter index holds. A second SUBSCRIBE to the same
/// filter changes it in place, so that no publish falls between the old and the new one [MQTT-3.8.4-3] [MQTT-3.8.4-4].
/// </summary>
public sealed class Subscription
{
    private const byte QosMask = 0x03;
    private const byte NoLocalBit = 0x04;
    private const byte RetainAsPublishedBit = 0x08;

    private readonly ulong[] _settings = new ulong[1];

    public Subscription(Session session, string filter, byte options, uint identifier)
    {
        Session = session;
        Filter = filter;
        RoutedFilter = ExclusiveFilter.Routed(filter);
        IsShared = SharedFilter.IsShared(filter);
        Change(options, identifier);
    }

    public Session Session { get; }

    /// <summary>Topic Filter as the client wrote it.</summary>
    public string Filter { get; }

    /// <summary>Topic Filter of the messages that it lets through: of an exclusive subscription what stands behind <c>$exclusive/</c>.</summary>
    public string RoutedFilter { get; }

    /// <summary>Whether no other client may have it.</summary>
    public bool IsExclusive => !ReferenceEquals(RoutedFilter, Filter);

    /// <summary>Whether it makes the session a member of a group; it is then not in the filter index, the group is.</summary>
    public bool IsShared { get; }

    /// <summary>Its part in the group.</summary>
    internal Shared.LocalMember? Member { get; set; }

    /// <summary>
    /// Epoch of the connection whose UNSUBSCRIBE waits for its commit; null for none. Messages are routed as before meanwhile. Guarded by
    /// the session's lock.
    /// </summary>
    internal long? EndingBy { get; set; }

    /// <summary>
    /// Epoch of the connection whose SUBSCRIBE made it what it is, so that only its own refusal undoes that; null when it was restored, or is
    /// nobody's. Guarded by the session's lock.
    /// </summary>
    internal long? ChangedBy { get; set; }

    /// <summary><see cref="RoutedFilter"/> in UTF-8.</summary>
    public byte[] FilterUtf8 => Encoding.UTF8.GetBytes(RoutedFilter);

    /// <summary>Subscription Options byte (MQTT 5.0 section 3.8.3.1) with the granted QoS.</summary>
    public byte Options => (byte)Volatile.Read(ref _settings[0]);

    /// <summary>Subscription Identifier; 0 when none was given.</summary>
    public uint Identifier => (uint)(Volatile.Read(ref _settings[0]) >> 32);

    /// <summary>Granted maximum QoS.</summary>
    public QualityOfService Qos => (QualityOfService)(Options & QosMask);

    /// <summary>Messages of this very client are not sent to it [MQTT-3.8.3-3].</summary>
    public bool NoLocal => (Options & NoLocalBit) != 0;

    /// <summary>Whether No Local keeps a message away, because this client has published it: its Will, too.</summary>
    /// <param name="publisher">Session that has published it, if it is on this silo.</param>
    /// <param name="publisherId">Client Identifier of the publisher.</param>
    public bool IsOwn(Session? publisher, string publisherId) =>
        NoLocal && (publisher is null ? Session.ClientId == publisherId : Session == publisher);

    /// <summary>RETAIN is forwarded as published instead of cleared [MQTT-3.3.1-12], [MQTT-3.3.1-13].</summary>
    public bool RetainAsPublished => (Options & RetainAsPublishedBit) != 0;

    /// <summary>Options and identifier change together: a reader sees both old or both new.</summary>
    public void Change(byte options, uint identifier) =>
        Volatile.Write(ref _settings[0], ((ulong)identifier << 32) | options);
}
