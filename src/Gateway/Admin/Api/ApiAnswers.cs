using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Broker.Gateway.Admin.Api;

/// <summary>Answers of the HTTP interface: JSON, never kept by a cache.</summary>
internal static class ApiAnswers
{
    /// <summary>Everything of the interface lies below it.</summary>
    public const string Prefix = "/api/v1";

    public static Task AnswerAsync<T>(
        this HttpResponse response, T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK)
    {
        response.StatusCode = status;
        response.Headers.CacheControl = "no-store";
        return response.WriteAsJsonAsync(value, type);
    }

    /// <summary>The request cannot be understood; <paramref name="message"/> says what is wrong with it.</summary>
    public static Task RefuseAsync(this HttpResponse response, string message, int status = StatusCodes.Status400BadRequest) =>
        response.AnswerAsync(new ApiError(message), ApiJson.Default.ApiError, status);
}
