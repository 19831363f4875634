using System.Net;
using Broker.Gateway.Hosting;
using Broker.Gateway.Listeners;
using Broker.Gateway.Options;

namespace Broker.Gateway.Admin;

/// <summary>
/// <c>broker health [live|ready]</c>: asks the broker of the same configuration on this machine for its health. For probes that run
/// a command, in an image that has no other program.
/// </summary>
internal static class HealthCommand
{
    // 3 s: health waits for nothing; a probe that waits longer is given up by whoever runs it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>Prints what the broker answers; 0 when it is well, 1 when not or when nobody answers.</summary>
    /// <param name="arguments">What follows the word <c>health</c>: nothing for <c>ready</c>.</param>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, BrokerOptions options)
    {
        var path = arguments switch
        {
            [] or ["ready"] => HealthEndpoints.Ready,
            ["live"] => HealthEndpoints.Live,
            _ => throw new StartupException($"health {string.Join(' ', arguments)}: health takes live or ready; see --help"),
        };
        var address = AddressOf(options.Http);
        using var handler = new SocketsHttpHandler { UseProxy = false };
        using var client = new HttpClient(handler) { Timeout = Patience };
        try
        {
            using var answer = await client.GetAsync(new Uri(address, path));
            Console.WriteLine(await answer.Content.ReadAsStringAsync());
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
        {
            throw new StartupException($"no broker answers at {address}: {failure.Message}", failure);
        }
    }

    /// <summary>Where this machine reaches the HTTP side.</summary>
    internal static Uri AddressOf(HttpOptions http)
    {
        if (http.Port == 0)
        {
            throw new StartupException("health needs the HTTP port, and Broker:Http:Port is 0: give --http PORT");
        }

        var isGiven = ListenAddress.TryParse(http.Address, out var address) && address is not null;
        return new UriBuilder(Uri.UriSchemeHttp, (isGiven ? address! : IPAddress.Loopback).ToString(), http.Port).Uri;
    }
}
