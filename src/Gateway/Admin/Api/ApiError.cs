namespace Broker.Gateway.Admin.Api;

/// <summary>Body of an answer other than 2xx.</summary>
internal sealed record ApiError(string Error);
