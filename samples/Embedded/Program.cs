using Broker.Gateway.Embedding;
using Broker.Grains.Hooks;
using Embedded;

var builder = WebApplication.CreateBuilder(args);
builder.AddMqttBroker();
builder.Services.AddHook<Shout>();
builder.Services.AddHostedService<Echo>();

var app = builder.Build();
app.MapGet("/", (MqttBroker broker) => $"MQTT at {string.Join(", ", broker.MqttEndPoints)}, ready: {broker.IsReady}\n");
await app.RunAsync();
