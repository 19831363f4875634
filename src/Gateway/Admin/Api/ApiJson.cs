using System.Text.Json.Serialization;
using Broker.Gateway.Tracing;

namespace Broker.Gateway.Admin.Api;

/// <summary>Bodies of the HTTP interface; code made at build time, so that the first request costs no reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ApiError))]
[JsonSerializable(typeof(DropsAnswer))]
[JsonSerializable(typeof(MessageAnswer))]
[JsonSerializable(typeof(PublishRequest))]
[JsonSerializable(typeof(PublishAnswer))]
[JsonSerializable(typeof(List<PublishAnswer>))]
[JsonSerializable(typeof(AlarmRow))]
[JsonSerializable(typeof(AlarmsAnswer))]
[JsonSerializable(typeof(TraceRequest))]
[JsonSerializable(typeof(TracesAnswer))]
internal sealed partial class ApiJson : JsonSerializerContext;
