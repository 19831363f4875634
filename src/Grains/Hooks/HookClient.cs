using System.Net;

namespace Broker.Grains.Hooks;

/// <summary>Who a hook is asked about.</summary>
/// <param name="ClientId">Client Identifier.</param>
/// <param name="UserName">The proven user name; null when it is anonymous.</param>
/// <param name="Address">Where it connects from; null where that is not known: for a message by HTTP that comes from another machine or through a proxy.</param>
public sealed record HookClient(string ClientId, string? UserName, IPAddress? Address);
