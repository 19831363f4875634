using Broker.Micro;

var benches = typeof(IBench).Assembly.GetTypes()
    .Where(x => x.IsClass && x.IsAssignableTo(typeof(IBench)))
    .Select(x => (IBench)Activator.CreateInstance(x)!)
    .OrderBy(x => x.Name, StringComparer.Ordinal)
    .ToArray();

if (args.Length > 0 && benches.FirstOrDefault(x => x.Name == args[0]) is { } chosen)
{
    return chosen.Run(args[1..]);
}

Console.Error.WriteLine("usage: dotnet run -c Release --project bench/Micro -- <name> [arguments]");
foreach (var bench in benches)
{
    Console.Error.WriteLine($"  {bench.Name,-12} {bench.Description}");
}

return 2;
