using System.Net;

namespace Broker.Grains.Hooks;

/// <summary>Who a hook is asked about.</summary>
/// <param name="ClientId">Client Identifier.</param>
/// <param name="UserName">The proven user name; null when it is anonymous.</param>
/// <param name="Address">Where it connects from; null for what does not come over a connection.</param>
public sealed record HookClient(string ClientId, string? UserName, IPAddress? Address);
