using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Broker.Gateway.Options;

namespace Broker.Gateway.Webhook;

/// <summary>Makes the requests of the webhook.</summary>
internal sealed class WebhookClient : IDisposable
{
    private const int MaxAnswerBytes = 4 << 10;
    private const int MaxHeaderKilobytes = 16;
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(1);

    private readonly WebhookOptions _options;
    private readonly HttpClient _http;
    private readonly string _life = Guid.NewGuid().ToString("N");

    public WebhookClient(WebhookOptions options)
    {
        _options = options;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            ConnectTimeout = options.Timeout,

            // A server that moves to another address is found again.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            // Its status is the answer. A short body is read to the end so that the connection can be used again; with a long one it is closed.
            MaxResponseDrainSize = MaxAnswerBytes,
            ResponseDrainTimeout = DrainTime,
            MaxResponseHeadersLength = MaxHeaderKilobytes,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = PolicyOf(options.CaFile) },
        };
        _http = new HttpClient(handler) { Timeout = options.Timeout };
    }

    /// <summary>Posts a batch once.</summary>
    /// <param name="number">Number of the batch: the same for each attempt, so that a server can tell a repetition.</param>
    /// <returns>Null when the server has taken it, else what it answered and whether another attempt makes sense.</returns>
    public async Task<(string Cause, bool MayPass)?> PostAsync(long number, byte[] body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _options.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json") { CharSet = "utf-8" };
        request.Headers.Add("X-Broker-Batch", $"{_life}-{number}");
        if (_options.Token is { Length: > 0 } token)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        try
        {
            using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return answer.IsSuccessStatusCode ? null : ($"HTTP {(int)answer.StatusCode}", MayPass(answer.StatusCode));
        }
        catch (HttpRequestException error)
        {
            return (error.Message, true);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return ($"no answer in {_options.Timeout.TotalSeconds} s", true);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            // A defect, here or in the library: the batch is lost and counted, and the next one goes.
            return (error.Message, false);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();

    // What the server refuses it will refuse again, but for those that say "not now".
    private static bool MayPass(HttpStatusCode status) =>
        (int)status >= 500 || status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests;

    private static X509ChainPolicy? PolicyOf(string caFile)
    {
        if (caFile.Length == 0)
        {
            return null;
        }

        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(caFile);
        return policy;
    }
}
