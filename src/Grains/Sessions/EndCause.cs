namespace Broker.Grains.Sessions;

/// <summary>How a connection ended.</summary>
public enum EndCause
{
    /// <summary>Without a DISCONNECT, or with one that asks for the Will (0x04).</summary>
    Lost,

    /// <summary>DISCONNECT with reason 0x00.</summary>
    Disconnect,

    /// <summary>The broker has ended it: it stops, or other silos have room for the client. The client has not died, and comes back.</summary>
    SentAway,
}
