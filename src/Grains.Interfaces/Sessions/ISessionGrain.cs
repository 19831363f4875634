namespace Broker.Grains.Interfaces.Sessions;

/// <summary>
/// The owner of one client's session, keyed by <see cref="GrainKeys.Session"/>: decides who acts for the client, one
/// CONNECT after the other. Messages do not pass through it; connection and publishers enter the session object directly.
/// </summary>
[Alias("broker.session")]
public interface ISessionGrain : IGrainWithStringKey
{
    /// <summary>A client connects: takes over from an earlier connection, resumes or starts its session.</summary>
    [Alias("Connect")]
    Task<SessionGrant> Connect(SessionClaim claim);

    /// <summary>
    /// Makes the grain stand: beside the connection that it had when it was idle for too long, or for a session that was loaded without it
    /// and leaves memory when it goes.
    /// </summary>
    [Alias("Stand")]
    Task Stand();

    /// <summary>Ends the session if it has expired and its client has not come back.</summary>
    [Alias("Expire")]
    Task<bool> Expire();

    /// <summary>What the Orleans dashboard shows. Writes nothing and creates nothing durable.</summary>
    [Alias("GetState")]
    Task<SessionSnapshot> GetState();
}
