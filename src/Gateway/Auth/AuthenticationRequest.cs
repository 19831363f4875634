using System.Net;
using Broker.Protocol;

namespace Broker.Gateway.Auth;

/// <summary>What a CONNECT packet says about its sender.</summary>
/// <param name="ClientId">Client Identifier.</param>
/// <param name="UserName">User Name; null when the flag is not set.</param>
/// <param name="Password">Password; null when the flag is not set. Valid until the answer only.</param>
/// <param name="Address">Where the connection comes from.</param>
/// <param name="Version">Protocol version.</param>
public sealed record AuthenticationRequest(
    string ClientId, string? UserName, ReadOnlyMemory<byte>? Password, IPAddress Address, ProtocolVersion Version)
{
    /// <summary>Says nothing about the password, which must not reach a log.</summary>
    public override string ToString() => $"{ClientId} ({UserName ?? "anonymous"}) from {Address}";
}
