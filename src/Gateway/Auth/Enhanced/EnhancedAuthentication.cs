namespace Broker.Gateway.Auth.Enhanced;

/// <summary>The Authentication Methods of this broker, by name.</summary>
public sealed class EnhancedAuthentication(IEnumerable<IEnhancedAuthenticator> authenticators)
{
    private readonly Dictionary<string, IEnhancedAuthenticator> _methods =
        authenticators.ToDictionary(static a => a.Method, StringComparer.Ordinal);

    /// <summary>The method of that name; null when there is none.</summary>
    public IEnhancedAuthenticator? Find(string method) => _methods.GetValueOrDefault(method);
}
