using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Broker.TestKit.Servers;

/// <summary>The HTTP interface of a broker, as an administrator's script uses it.</summary>
public sealed class AdminClient : IDisposable
{
    private readonly HttpClient _http;

    /// <param name="token">Bearer token; null: none is sent.</param>
    public AdminClient(Uri broker, string? token = null)
    {
        _http = new HttpClient { BaseAddress = broker };
        if (token is not null)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
    }

    public async Task<HttpStatusCode> StatusAsync(string path)
    {
        using var answer = await _http.GetAsync(new Uri(path, UriKind.Relative));
        return answer.StatusCode;
    }

    /// <summary>The body of an answer 200.</summary>
    public async Task<JsonElement> GetAsync(string path)
    {
        using var answer = await _http.GetAsync(new Uri(path, UriKind.Relative));
        return await BodyAsync(answer, path, HttpStatusCode.OK);
    }

    /// <summary>Posts JSON; the body of an answer with the status that is expected.</summary>
    public async Task<JsonElement> PostAsync(string path, string json, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await _http.PostAsync(new Uri(path, UriKind.Relative), content);
        return await BodyAsync(answer, path, expected);
    }

    public async Task<HttpStatusCode> DeleteAsync(string path)
    {
        using var answer = await _http.DeleteAsync(new Uri(path, UriKind.Relative));
        return answer.StatusCode;
    }

    public void Dispose() => _http.Dispose();

    private static async Task<JsonElement> BodyAsync(HttpResponseMessage answer, string path, HttpStatusCode expected)
    {
        var text = await answer.Content.ReadAsStringAsync();
        if (answer.StatusCode != expected)
        {
            throw new TestFailureException($"{path}: {(int)answer.StatusCode} instead of {(int)expected}: {text}");
        }

        return JsonDocument.Parse(text).RootElement;
    }
}
