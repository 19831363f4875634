namespace Broker.Gateway.Hosting;

/// <summary>
/// What must be done between the silo becoming active and the first listener opening: open the store, recover sessions.
/// Steps run in the order of their registration; one that throws stops the start.
/// </summary>
public interface IBrokerStartup
{
    /// <summary>Does the step. A <see cref="StartupException"/> is shown to the operator as its one line.</summary>
    Task StartAsync(CancellationToken cancellationToken);
}
