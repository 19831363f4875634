namespace Broker.Gateway.Options;

/// <summary>Who may read <c>/metrics</c>.</summary>
public enum MetricsAccess
{
    /// <summary>Who may use the rest of the HTTP side: this machine, or the administrator when there is one.</summary>
    Admin,

    /// <summary>Whoever reaches the port: where a firewall or a NetworkPolicy decides who does.</summary>
    Anyone,
}
