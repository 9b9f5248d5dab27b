using System.Text.RegularExpressions;

namespace ServerlessBert.Build.Tests;

/// <summary>Who may use whom: the table of docs/architecture.md against the sources.</summary>
public sealed partial class ArrowTests
{
    private static readonly Dictionary<string, string[]> Allowed = Table();

    public static TheoryData<string> Rooms => [.. Repository.Sources("src").Select(RoomOf).Distinct().Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_room_uses_only_the_rooms_that_the_architecture_allows(string room)
    {
        Assert.True(Allowed.ContainsKey(room), $"docs/architecture.md has no line for {room}.");
        IEnumerable<string> forbidden =
            from file in Repository.Sources("src").Where(file => RoomOf(file) == room)
            from used in Used(file).Distinct()
            where used != room && !MayUse(room, used)
            select $"{file} uses {used}";
        Assert.Empty(forbidden);
    }

    [Fact]
    public void The_table_has_no_circle_and_no_line_for_a_room_that_is_gone()
    {
        string[] rooms = [.. Repository.Sources("src").Select(RoomOf).Distinct()];
        Assert.All(Allowed.Keys.Where(room => !room.EndsWith("/.", StringComparison.Ordinal)), room => Assert.Contains(room, rooms));
        Assert.All(Allowed.Keys, room => Assert.False(Reaches(room, room, []), $"{room} can reach itself."));
    }

    private static bool Reaches(string from, string to, HashSet<string> seen) =>
        Allowed.GetValueOrDefault(from, []).Any(next => next == to || (seen.Add(next) && Reaches(next, to, seen)));

    // A room may use what its line names, its project's own folder, and the projects that the project's line names.
    private static bool MayUse(string room, string used)
    {
        string project = room.Split('/')[0];
        string[] line = [.. Allowed[room], .. Allowed.GetValueOrDefault($"{project}/.", []).Where(each => !each.Contains('/'))];
        return used == $"{project}/." || line.Contains(used) || line.Contains(used.Split('/')[0]);
    }

    private static IEnumerable<string> Used(string file)
    {
        string[] rooms = [.. Repository.Sources("src").Select(RoomOf).Distinct()];
        foreach (Match match in Name().Matches(File.ReadAllText(Repository.PathOf(file))))
        {
            string[] parts = match.Groups[1].Value.Split('.');
            string room = parts.Length > 1 && rooms.Contains($"{parts[0]}/{parts[1]}") ? $"{parts[0]}/{parts[1]}" : $"{parts[0]}/.";
            if (rooms.Contains(room)) yield return room;
        }
    }

    // src/ServerlessBert.Pipeline/Runs/Run.cs → Pipeline/Runs; src/ServerlessBert.Trainer/Program.cs → Trainer/.
    private static string RoomOf(string file)
    {
        string[] parts = file.Split('/');
        return $"{parts[1]["ServerlessBert.".Length..]}/{(parts.Length > 3 ? parts[2] : ".")}";
    }

    private static Dictionary<string, string[]> Table() => Block().Match(Repository.Read("docs", "architecture.md")).Groups[1].Value
        .Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => line.Split("->", StringSplitOptions.TrimEntries))
        .ToDictionary(line => line[0], line => Targets(line[0], line[1]));

    private static string[] Targets(string room, string targets) =>
        [.. targets.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(target => room.EndsWith("/.", StringComparison.Ordinal) || target.Contains('/') ? target
                : $"{room.Split('/')[0]}/{target}")];

    [GeneratedRegex(@"\bServerlessBert\.([A-Z]\w*(?:\.[A-Z]\w*)*)(?!\.dll)\b")]
    private static partial Regex Name();

    [GeneratedRegex(@"```arrows\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
